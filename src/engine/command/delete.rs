//! Deletes jobs and environments: at once if there is nothing to end, otherwise by the engine.
//!
//! One rule holds for all of them: a row is deleted only when all of its runs have ended.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress, Scope};
use entity::id::EnvironmentId;
use entity::{deployment, environment, job};
use sea_orm::DatabaseTransaction;

use super::cancel::cancel_queued;
use super::deploy::queue_environment;
use super::guard::{able, lock, refuse_while_deleted};
use super::job_target::JobTarget;
use super::queue::{RequestedJob, enqueue, new};
use crate::app::App;
use crate::engine::announce::{self, Announcement};
use crate::engine::news::subject_deleted;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;
use crate::store::alert::AlertsOf;

/// Whether a deletion also removes the deployed objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Complete,
    /// No command of a job runs, and objects in clusters are left. Open runs are ended all the same.
    RowsOnly,
}

/// Deletes jobs. Those that were never deployed are deleted at once if they have no open run, as are all jobs with `RowsOnly`; the
/// engine deletes the rest.
///
/// # Errors
/// `Conflict` while one of them or the environment is being deleted.
pub async fn delete_jobs(
    app: &App,
    by: &Requester,
    environment: EnvironmentId,
    jobs: Vec<job::Model>,
    removal: Removal,
) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, environment).await?;
        delete_jobs_in(tx, by, &environment, (jobs, removal), now).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// The same in a transaction of the caller, who has locked the environment.
///
/// # Errors
/// The same.
pub async fn delete_jobs_in(
    tx: &DatabaseTransaction,
    by: &Requester,
    environment: &environment::Model,
    (jobs, removal): (Vec<job::Model>, Removal),
    now: DateTime<Utc>,
) -> Result<()> {
    let row = deployment_of(new(environment.id, Action::Delete, Scope::Jobs, by, now), removal);
    let mut left = Vec::new();
    for job in jobs {
        if is_idle(tx, &job, removal, now).await? {
            subject_deleted(tx, AlertsOf::Job(job.id), now).await?;
            store::job::delete(tx, job.id).await?;
            announce::event(tx, Announcement::job("DELETE", environment, &job), by, now).await?;
        } else {
            left.push(JobTarget::from(job));
        }
    }
    if left.is_empty() {
        return note_deletion(tx, row, now).await;
    }
    refuse_while_deleted(tx, environment.id).await?;
    let left = able(tx, left, Action::Delete).await?;
    if removal == Removal::RowsOnly {
        let jobs = left.iter().map(|target| target.job.id).collect();
        store::run::cancel::request_cancel_of_jobs(tx, jobs, now).await?;
    }
    enqueue(tx, row, left.iter().map(|target| RequestedJob::plain(target.job.id)).collect()).await?;
    for JobTarget { job, .. } in &left {
        announce::event(tx, Announcement::job("DELETE_QUEUED", environment, job), by, now).await?;
    }
    Ok(())
}

/// Whether a job can be deleted at once: there is nothing to remove, and no run to end.
async fn is_idle(tx: &DatabaseTransaction, job: &job::Model, removal: Removal, now: DateTime<Utc>) -> Result<bool> {
    match removal {
        // From here on its schedule starts no run.
        Removal::RowsOnly => store::job::set_deployed(tx, job.id, None, None, now).await?,
        Removal::Complete => {
            let deployed = job.deployed.is_some() || job.applied.is_some();
            if deployed || store::deployment::newest_part_by_job(tx, job.id).await?.is_some() {
                return Ok(false);
            }
        }
    }
    Ok(store::run::count_open_by_job(tx, job.id).await? == 0)
}

/// Records that jobs were deleted at once, as a deployment that has already succeeded: clients wait for one. A deployment that is
/// queued or running is what they wait for, if there is one.
async fn note_deletion(tx: &DatabaseTransaction, row: deployment::Model, now: DateTime<Utc>) -> Result<()> {
    if store::deployment::list_open(tx, row.environment_id).await?.is_empty() {
        let at = Some(now);
        let row = deployment::Model { progress: Progress::Succeeded, started_at: at, finished_at: at, ..row };
        store::deployment::create(tx, row, Vec::new()).await?;
    }
    Ok(())
}

/// Deletes an environment: at once if there is nothing to remove and no run to end, or with `RowsOnly` if there is no run to end;
/// otherwise by the engine after its jobs.
///
/// # Errors
/// `Conflict` while it is being deleted.
pub async fn delete_environment(app: &App, by: &Requester, id: EnvironmentId, removal: Removal) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        if is_idle_environment(tx, &environment, removal).await? {
            announce::event(tx, Announcement::environment("DELETE", &environment), by, now).await?;
            if removal == Removal::Complete {
                store::cluster_objects::record_leftover(tx, &environment, now).await?;
            }
            subject_deleted(tx, AlertsOf::Environment(id), now).await?;
            store::environment::delete(tx, id).await?;
            return Ok::<_, Error>(());
        }
        refuse_while_deleted(tx, id).await?;
        if removal == Removal::RowsOnly {
            stop_all(tx, id, now).await?;
        }
        let row = deployment_of(new(id, Action::Delete, Scope::Environment, by, now), removal);
        queue_environment(tx, by, &environment, row, now).await.map(|_| ())
    })
    .await?;
    app.wake.now();
    Ok(())
}

async fn is_idle_environment(tx: &DatabaseTransaction, row: &environment::Model, removal: Removal) -> Result<bool> {
    if removal == Removal::Complete {
        let known = !store::deployment::newest_parts_by_environment(tx, row.id).await?.is_empty();
        if known
            || store::job::any_deployed(tx, row.id).await?
            || !store::deployment::list_open(tx, row.id).await?.is_empty()
        {
            return Ok(false);
        }
    } else {
        // From here on no schedule starts a run.
        store::job::set_nothing_deployed(tx, row.id).await?;
    }
    Ok(store::run::count_open_by_environment(tx, row.id).await? == 0)
}

/// Cancels the deployments of an environment and all of its runs.
async fn stop_all(tx: &DatabaseTransaction, id: EnvironmentId, now: DateTime<Utc>) -> Result<()> {
    for row in store::deployment::list_open(tx, id).await? {
        match row.progress {
            Progress::Queued => cancel_queued(tx, &row, now).await?,
            _ => {
                store::deployment::request_cancel(tx, row.id, now).await?;
            }
        }
    }
    store::run::cancel::request_cancel_of_environment(tx, id, now).await?;
    Ok(())
}

fn deployment_of(row: deployment::Model, removal: Removal) -> deployment::Model {
    deployment::Model { rows_only: removal == Removal::RowsOnly, ..row }
}
