//! The events and the errors of changes to a job.

use sea_orm::DatabaseTransaction;

use crate::engine::audit::Change;
use crate::engine::copy_job::TAKEN;
use crate::error::{Error, Result};
use crate::store;

/// Names the job in the error for a name that is taken.
#[must_use]
pub fn or_taken(error: sea_orm::DbErr) -> Error {
    Error::or_taken(error, TAKEN)
}

/// Begins the event for a change to a job, in the transaction of the change.
///
/// # Errors
/// `NotFound` if its environment is gone; database errors.
pub async fn job_change(
    tx: &DatabaseTransaction,
    kind: &'static str,
    job: &entity::job::Model,
    part: &'static str,
) -> Result<Change> {
    let environment = store::environment::by_id(tx, job.environment_id).await?.ok_or(Error::NotFound("job"))?;
    Ok(Change::new(kind, "JOB", job.id.0, &job.name).of_environment(&environment).part(part))
}
