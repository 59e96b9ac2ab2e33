//! Access to organizations and projects.

use entity::id::{ClusterId, OrganizationId, ProjectId, ProjectRuleId};
use entity::{environment, organization, project, project_rule};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;

/// An organization.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn organization(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: OrganizationId,
) -> Result<organization::Model> {
    let row = store::organization::by_id(db, id).await?.ok_or(Error::NotFound("organization"))?;
    caller.require(row.id, action, &Location::default(), "organization")?;
    Ok(row)
}

/// A project.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn project(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: ProjectId,
) -> Result<project::Model> {
    let row = store::project::by_id(db, id).await?.ok_or(Error::NotFound("project"))?;
    caller.require(
        row.organization_id,
        action,
        &Location { project: Some(row.id), ..Location::default() },
        "project",
    )?;
    Ok(row)
}

/// A deployment rule of a project, with the project.
///
/// # Errors
/// `NotFound`, also when it belongs to another project; `Forbidden`, or a database error.
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

/// Checks that the caller may create an environment of this mode on this cluster.
///
/// # Errors
/// `NotFound` if the caller may not see the project, else `Forbidden`.
pub fn new_environment(
    caller: &Caller,
    project: &project::Model,
    mode: environment::Mode,
    cluster: ClusterId,
) -> Result<()> {
    let location = Location { cluster: Some(cluster), project: Some(project.id), mode: Some(mode) };
    if caller.may(project.organization_id, Action::CreateEnvironment, &location) {
        return Ok(());
    }
    let location = Location { project: Some(project.id), ..Location::default() };
    caller.require(project.organization_id, Action::View, &location, "project")?;
    Err(Error::Forbidden("your role does not allow environments of this mode on this cluster"))
}
