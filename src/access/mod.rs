//! Who calls, and what they may reach.
//!
//! A row that has a URL reaches a handler only through a function of this file, which loads it and decides:
//! what the caller may not see is not found, what they may see but not do is forbidden.

pub mod authenticate;
pub mod jwt;
pub mod role;
mod settings;
pub mod team;

use std::sync::Arc;

use entity::deployment::Origin;
use entity::id::{
    ClusterId, DeploymentId, EnvironmentId, JobId, OrganizationId, PersonId, ProjectId, ProjectRuleId, RunId, StageId,
    TokenId,
};
use entity::{deployment, environment, job, organization, project, project_rule, run, stage};
use sea_orm::{ConnectionTrait, DatabaseConnection};

pub use self::role::{Action, Grant, Place};
pub use self::settings::{cluster, custom_role, git_token, group, invitation, registry, restriction, token, webhook};
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobView;

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
            .filter(|(_, grant)| role::allows(grant, Action::ViewOrganization, &Place::default()))
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
    pub fn may(&self, organization: OrganizationId, action: Action, place: &Place) -> bool {
        self.grant(organization).is_some_and(|grant| role::allows(grant, action, place))
    }

    fn grant(&self, organization: OrganizationId) -> Option<&Grant> {
        self.identity.memberships.iter().find(|(id, _)| *id == organization).map(|(_, grant)| grant)
    }

    fn require(&self, organization: OrganizationId, action: Action, place: &Place, thing: &'static str) -> Result<()> {
        match self.grant(organization) {
            Some(grant) if role::allows(grant, action, place) => Ok(()),
            Some(grant) if role::allows(grant, action.visibility(), place) => {
                Err(Error::Forbidden("your role does not allow this"))
            }
            _ => Err(Error::NotFound(thing)),
        }
    }
}

/// Where an environment is.
#[must_use]
pub fn place(row: &environment::Model) -> Place {
    Place { cluster: Some(row.cluster_id), project: Some(row.project_id), mode: Some(row.mode) }
}

/// Where a job of an environment is; only custom roles look at it.
async fn place_of(
    db: &impl ConnectionTrait,
    caller: &Caller,
    organization: OrganizationId,
    environment: EnvironmentId,
) -> Result<Place> {
    if !matches!(caller.grant(organization), Some(Grant::Custom(_))) {
        return Ok(Place::default());
    }
    Ok(store::environment::by_id(db, environment).await?.as_ref().map(place).unwrap_or_default())
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
    caller.require(row.id, action, &Place::default(), "organization")?;
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
    caller.require(row.organization_id, action, &Place { project: Some(row.id), ..Place::default() }, "project")?;
    Ok(row)
}

/// A deployment rule of a project, with the project.
///
/// # Errors
/// `NotFound`, also when it belongs to another project; `Forbidden`, or the database's.
pub async fn project_rule(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    project: ProjectId,
    id: ProjectRuleId,
) -> Result<(project::Model, project_rule::Model)> {
    let project = self::project(db, caller, action, project).await?;
    let row = store::row::by_id::<project_rule::Model>(db, id).await?.filter(|row| row.project_id == project.id);
    Ok((project, row.ok_or(Error::NotFound("deployment rule"))?))
}

/// A project in which an environment of this mode is to be put on this cluster.
///
/// # Errors
/// `NotFound` when the project may not be seen, else `Forbidden`.
pub fn new_environment(
    caller: &Caller,
    project: &project::Model,
    mode: environment::Mode,
    cluster: ClusterId,
) -> Result<()> {
    let place = Place { cluster: Some(cluster), project: Some(project.id), mode: Some(mode) };
    if caller.may(project.organization_id, Action::CreateEnvironment, &place) {
        return Ok(());
    }
    let place = Place { project: Some(project.id), ..Place::default() };
    caller.require(project.organization_id, Action::View, &place, "project")?;
    Err(Error::Forbidden("your role does not allow an environment of this mode on this cluster"))
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
    caller.require(row.organization_id, action, &place(&row), "environment")?;
    Ok(row)
}

/// A job, with what an answer about it shows.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn job(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<JobView> {
    let view = store::job::view_by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    let place = place_of(db, caller, view.organization_id, view.environment_id).await?;
    caller.require(view.organization_id, action, &place, "job")?;
    Ok(view)
}

/// The whole row of a job.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn job_row(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<job::Model> {
    let row = store::job::by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    let place = place_of(db, caller, row.organization_id, row.environment_id).await?;
    caller.require(row.organization_id, action, &place, "job")?;
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
    let place = place_of(db, caller, job.organization_id, job.environment_id).await?;
    caller.require(job.organization_id, action, &place, "run")?;
    Ok(row)
}

/// A deployment stage, with its environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn stage(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: StageId,
) -> Result<(stage::Model, environment::Model)> {
    const THING: &str = "deployment stage";
    let row = store::row::by_id::<stage::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    let environment = store::environment::by_id(db, row.environment_id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(environment.organization_id, action, &place(&environment), THING)?;
    Ok((row, environment))
}

/// A deployment, with its environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or the database's.
pub async fn deployment(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: DeploymentId,
) -> Result<(deployment::Model, environment::Model)> {
    const THING: &str = "deployment request";
    let row = store::row::by_id::<deployment::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    let environment = store::environment::by_id(db, row.environment_id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(environment.organization_id, action, &place(&environment), THING)?;
    Ok((row, environment))
}
