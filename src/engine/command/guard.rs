//! Locks an environment for a change, and rejects changes to jobs and environments that are being deleted.

use entity::deployment::{Action, Progress};
use entity::id::EnvironmentId;
use entity::{environment, job};
use sea_orm::DatabaseTransaction;

use super::job_target::JobTarget;
use crate::engine::shown;
use crate::error::{Error, Result};
use crate::store;
use crate::store::deployment::Part;

/// Locks an environment to add something to it; call it in the transaction that adds.
///
/// # Errors
/// `Conflict` while it is being deleted, `NotFound` if it is gone.
pub async fn lock_for_addition(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<environment::Model> {
    let environment = lock(tx, id).await?;
    refuse_while_deleted(tx, id).await?;
    Ok(environment)
}

/// Shares an environment with others that add something to it that does not depend on what they add.
///
/// # Errors
/// The same.
pub(in crate::engine) async fn share_for_addition(
    tx: &DatabaseTransaction,
    id: EnvironmentId,
) -> Result<environment::Model> {
    let environment = store::environment::share(tx, id).await?.ok_or(Error::NotFound("environment"))?;
    refuse_while_deleted(tx, id).await?;
    Ok(environment)
}

/// `Conflict` if a job is being deleted.
pub(in crate::engine) async fn refuse_while_job_is_deleted(tx: &DatabaseTransaction, job: &job::Model) -> Result<()> {
    able(tx, vec![JobTarget::from(job.clone())], Action::Deploy).await.map(|_| ())
}

pub(super) async fn lock(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<environment::Model> {
    store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))
}

pub(super) async fn refuse_while_deleted(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<()> {
    if store::deployment::is_environment_being_deleted(tx, id).await? {
        Err(Error::Conflict("the environment is being deleted".into()))
    } else {
        Ok(())
    }
}

/// The jobs that an action applies to: stopping leaves out those that are already stopped.
pub(super) async fn able(tx: &DatabaseTransaction, targets: Vec<JobTarget>, action: Action) -> Result<Vec<JobTarget>> {
    let mut able = Vec::with_capacity(targets.len());
    for target in targets {
        let Some(newest) = store::deployment::newest_part_by_job(tx, target.job.id).await? else {
            able.push(target);
            continue;
        };
        if deletes(&newest) {
            return Err(Error::Conflict(format!("the job {} is being deleted", target.job.name)));
        }
        let (part, of) = newest;
        let is_stopped = shown::effective_action(of.action, part.forced_event) == Action::Stop
            && matches!(part.progress, Progress::Succeeded | Progress::Running)
            && part.forced_event.is_none();
        if !(is_stopped && action == Action::Stop) {
            able.push(target);
        }
    }
    if able.is_empty() {
        return Err(Error::Conflict("the job is already stopped or being stopped".into()));
    }
    Ok(able)
}

/// The jobs of a selection that are still there, and not being deleted.
pub(super) async fn remaining(tx: &DatabaseTransaction, targets: Vec<JobTarget>) -> Result<Vec<JobTarget>> {
    let mut remaining = Vec::with_capacity(targets.len());
    for target in targets {
        let id = target.job.id;
        let is_there = store::job::by_id(tx, id).await?.is_some();
        let newest = store::deployment::newest_part_by_job(tx, id).await?;
        if is_there && !newest.is_some_and(|newest| deletes(&newest)) {
            remaining.push(target);
        }
    }
    Ok(remaining)
}

/// Whether a job is being deleted by its newest part. One whose part has ended is deleted when the deployment ends.
fn deletes((part, of): &Part) -> bool {
    shown::effective_action(of.action, part.forced_event) == Action::Delete
        && matches!(part.progress, Progress::Queued | Progress::Running | Progress::Succeeded)
        && part.forced_event.is_none()
        && !of.progress.is_final()
}
