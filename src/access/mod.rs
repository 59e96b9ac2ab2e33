//! Who calls, and what they may reach.
//!
//! A row that has a URL reaches a handler only through a function of this file, which loads it and decides:
//! what the caller may not see is not found, what they may see but not do is forbidden.

pub mod authenticate;
pub mod jwt;
pub mod role;

use std::sync::Arc;

use entity::deployment::Origin;
use entity::id::{EnvironmentId, JobId, OrganizationId, PersonId, ProjectId, RegistryId, RunId, TokenId};
use entity::member::Role;
use entity::{api_token, environment, job, organization, project, registry, run};
use sea_orm::DatabaseConnection;

pub use self::role::Action;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobView;

/// Who a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Person { id: PersonId, name: String },
    Token { id: TokenId, name: String },
}

/// What a credential stands for.
#[derive(Debug)]
pub struct Identity {
    pub subject: Subject,
    pub memberships: Vec<(OrganizationId, Role)>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub origin: Origin,
}

impl Caller {
    /// The name for histories.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.identity.subject {
            Subject::Person { name, .. } | Subject::Token { name, .. } => name,
        }
    }

    /// The organizations of the caller in which they may see the organization itself.
    #[must_use]
    pub fn organizations(&self) -> Vec<OrganizationId> {
        self.identity
            .memberships
            .iter()
            .filter(|(_, role)| role::allows(*role, Action::ViewOrganization))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The person, where the caller is one.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self.identity.subject {
            Subject::Person { id, .. } => Some(id),
            Subject::Token { .. } => None,
        }
    }

    fn require(&self, organization: OrganizationId, action: Action, thing: &'static str) -> Result<()> {
        let membership = self.identity.memberships.iter().find(|(id, _)| *id == organization);
        match membership {
            Some((_, role)) if role::allows(*role, action) => Ok(()),
            Some((_, role)) if role::allows(*role, action.visibility()) => {
                Err(Error::Forbidden("your role does not allow this"))
            }
            _ => Err(Error::NotFound(thing)),
        }
    }
}

/// An organization.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn organization(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: OrganizationId,
) -> Result<organization::Model> {
    let row = store::organization::by_id(db, id).await?.ok_or(Error::NotFound("organization"))?;
    caller.require(row.id, action, "organization")?;
    Ok(row)
}

/// A project.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn project(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: ProjectId,
) -> Result<project::Model> {
    let row = store::project::by_id(db, id).await?.ok_or(Error::NotFound("project"))?;
    caller.require(row.organization_id, action, "project")?;
    Ok(row)
}

/// An environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn environment(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: EnvironmentId,
) -> Result<environment::Model> {
    let row = store::environment::by_id(db, id).await?.ok_or(Error::NotFound("environment"))?;
    caller.require(row.organization_id, action, "environment")?;
    Ok(row)
}

/// A registry of an organization.
///
/// # Errors
/// `NotFound`, also when it belongs to another organization; `Forbidden`, or the database's.
pub async fn registry(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    id: RegistryId,
) -> Result<registry::Model> {
    let row = store::registry::by_id(db, id).await?.filter(|row| row.organization_id == organization);
    let row = row.ok_or(Error::NotFound("registry"))?;
    caller.require(row.organization_id, action, "registry")?;
    Ok(row)
}

/// An API token of an organization.
///
/// # Errors
/// `NotFound`, also when it belongs to another organization; `Forbidden`, or the database's.
pub async fn token(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    id: TokenId,
) -> Result<api_token::Model> {
    let row = store::token::by_id(db, id).await?.filter(|row| row.organization_id == organization);
    let row = row.ok_or(Error::NotFound("API token"))?;
    caller.require(row.organization_id, action, "API token")?;
    Ok(row)
}

/// A job, with what an answer about it shows.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn job(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<JobView> {
    let view = store::job::view_by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    caller.require(view.organization_id, action, "job")?;
    Ok(view)
}

/// The whole row of a job.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn job_row(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<job::Model> {
    let row = store::job::by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    caller.require(row.organization_id, action, "job")?;
    Ok(row)
}

/// A run; who may see its job may see it.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn run(db: &DatabaseConnection, caller: &Caller, action: Action, id: RunId) -> Result<run::Model> {
    let row = store::run::by_id(db, id).await?.ok_or(Error::NotFound("run"))?;
    let job = row.job_id.ok_or(Error::NotFound("run"))?;
    let job = store::job::by_id(db, job).await?.ok_or(Error::NotFound("run"))?;
    caller.require(job.organization_id, action, "run")?;
    Ok(row)
}
