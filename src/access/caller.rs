//! The caller: a person, an API token or a group, with their roles.

use std::sync::Arc;

use entity::deployment::Origin;
use entity::id::{AccessTokenId, OrganizationId, PersonId, TokenId};

use super::role::{self, Grant, Location};
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The owner of a credential.
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
    /// The owner of a team access token.
    Group {
        name: String,
    },
}

/// The identity behind a credential.
#[derive(Debug)]
pub struct Identity {
    pub subject: Subject,
    pub memberships: Vec<(OrganizationId, Grant)>,
    /// Their groups at the OIDC issuer.
    pub groups: Vec<String>,
    /// The personal or team access token that they were authenticated by.
    pub access_token: Option<AccessTokenId>,
    /// The API token that a person was authenticated by.
    pub api_token: Option<TokenId>,
}

/// The caller of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub origin: Origin,
    pub user_agent: Option<String>,
    /// What the caller was authenticated by, for responses that outlive a request.
    pub(super) credential: Arc<Secret<String>>,
}

impl Caller {
    /// The display name, as recorded in histories.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.identity.subject {
            Subject::Person { name, .. } | Subject::Token { name, .. } | Subject::Group { name } => name,
        }
    }

    /// The organizations that the caller may see.
    #[must_use]
    pub fn organizations(&self) -> Vec<OrganizationId> {
        self.identity
            .memberships
            .iter()
            .filter(|(_, grant)| role::allows(grant, Action::ViewOrganization, &Location::default()))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Their verified email address, if they sent a JWT with one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match &self.identity.subject {
            Subject::Person { email, .. } => email.as_deref(),
            Subject::Token { .. } | Subject::Group { .. } => None,
        }
    }

    /// The person, if the caller is one.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self.identity.subject {
            Subject::Person { id, .. } => Some(id),
            Subject::Token { .. } | Subject::Group { .. } => None,
        }
    }

    /// Whether the caller may perform an action. Lists use this to filter rows.
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
