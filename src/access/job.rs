//! Access to jobs and their runs.

use entity::id::{JobId, RunId};
use entity::{job, run};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::location::location_of;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobView;

/// A job, with the related data of its response.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn job(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<JobView> {
    let view = store::job::view_by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    let location = location_of(db, caller, view.organization_id, view.environment_id).await?;
    caller.require(view.organization_id, action, &location, "job")?;
    Ok(view)
}

/// The whole row of a job.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn job_row(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<job::Model> {
    let row = store::job::by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    let location = location_of(db, caller, row.organization_id, row.environment_id).await?;
    caller.require(row.organization_id, action, &location, "job")?;
    Ok(row)
}

/// A run, with the permissions of its job.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn run(db: &DatabaseConnection, caller: &Caller, action: Action, id: RunId) -> Result<run::Model> {
    let row = store::run::by_id(db, id).await?.ok_or(Error::NotFound("run"))?;
    let job = row.job_id.ok_or(Error::NotFound("run"))?;
    let job = store::job::by_id(db, job).await?.ok_or(Error::NotFound("run"))?;
    let location = location_of(db, caller, job.organization_id, job.environment_id).await?;
    caller.require(job.organization_id, action, &location, "run")?;
    Ok(row)
}
