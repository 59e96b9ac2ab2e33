//! Who calls: a person, an API token or a group, with what their roles allow.

use std::sync::Arc;

use entity::deployment::Origin;
use entity::id::{OrganizationId, PersonId, TokenId};

use super::role::{self, Action, Grant, Location};
use crate::error::{Error, Result};

/// Who a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Person {
        id: PersonId,
        name: String,
        email: Option<String>,
    },
    Token {
        id: TokenId,
        name: String,
    },
    /// A token of a group of people.
    Group {
        name: String,
    },
}

/// What a credential stands for.
#[derive(Debug)]
pub struct Identity {
    pub subject: Subject,
    pub memberships: Vec<(OrganizationId, Grant)>,
    /// The groups of the OIDC issuer that they belong to.
    pub groups: Vec<String>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub origin: Origin,
    pub user_agent: Option<String>,
}

impl Caller {
    /// The name for histories.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.identity.subject {
            Subject::Person { name, .. } | Subject::Token { name, .. } | Subject::Group { name } => name,
        }
    }

    /// The organizations of the caller in which they may see the organization itself.
    #[must_use]
    pub fn organizations(&self) -> Vec<OrganizationId> {
        self.identity
            .memberships
            .iter()
            .filter(|(_, grant)| role::allows(grant, Action::ViewOrganization, &Location::default()))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The person, where the caller is one.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self.identity.subject {
            Subject::Person { id, .. } => Some(id),
            Subject::Token { .. } | Subject::Group { .. } => None,
        }
    }

    /// Whether the caller may do something; for lists, which leave out what may not be seen.
    #[must_use]
    pub fn may(&self, organization: OrganizationId, action: Action, location: &Location) -> bool {
        self.grant(organization).is_some_and(|grant| role::allows(grant, action, location))
    }

    pub(super) fn grant(&self, organization: OrganizationId) -> Option<&Grant> {
        self.identity.memberships.iter().find(|(id, _)| *id == organization).map(|(_, grant)| grant)
    }

    pub(super) fn require(
        &self,
        organization: OrganizationId,
        action: Action,
        location: &Location,
        thing: &'static str,
    ) -> Result<()> {
        match self.grant(organization) {
            Some(grant) if role::allows(grant, action, location) => Ok(()),
            Some(grant) if role::allows(grant, action.visibility(), location) => {
                Err(Error::Forbidden("your role does not allow this"))
            }
            _ => Err(Error::NotFound(thing)),
        }
    }
}
