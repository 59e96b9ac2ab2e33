//! Access to environments, their stages and their deployments.

use entity::id::{DeploymentId, EnvironmentId, StageId};
use entity::{deployment, environment, stage};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::location::location;
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;

/// An environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn environment(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: EnvironmentId,
) -> Result<environment::Model> {
    let row = store::environment::by_id(db, id).await?.ok_or(Error::NotFound("environment"))?;
    caller.require(row.organization_id, action, &location(&row), "environment")?;
    Ok(row)
}

/// A deployment stage, with its environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn stage(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: StageId,
) -> Result<(stage::Model, environment::Model)> {
    const THING: &str = "deployment stage";
    let row = store::row::by_id::<stage::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    let environment = store::environment::by_id(db, row.environment_id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(environment.organization_id, action, &location(&environment), THING)?;
    Ok((row, environment))
}

/// A deployment, with its environment.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn deployment(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: DeploymentId,
) -> Result<(deployment::Model, environment::Model)> {
    const THING: &str = "deployment request";
    let row = store::row::by_id::<deployment::Model>(db, id).await?.ok_or(Error::NotFound(THING))?;
    let environment = store::environment::by_id(db, row.environment_id).await?.ok_or(Error::NotFound(THING))?;
    caller.require(environment.organization_id, action, &location(&environment), THING)?;
    Ok((row, environment))
}

/// Checks that the caller may give an environment this mode.
///
/// # Errors
/// `Forbidden`.
pub fn environment_mode(caller: &Caller, row: &environment::Model, mode: Option<environment::Mode>) -> Result<()> {
    let Some(mode) = mode else { return Ok(()) };
    let place = Location { mode: Some(mode), ..location(row) };
    if caller.may(row.organization_id, Action::Manage, &place) {
        return Ok(());
    }
    Err(Error::Forbidden("your role does not allow environments of this mode"))
}
