//! Deletes jobs and environments: at once, or by the engine once everything deployed has been removed.

use entity::deployment::{Action, Scope};
use entity::id::EnvironmentId;
use entity::job;

use super::deploy::request_environment_in;
use super::guard::{able, lock, refuse_while_deleted};
use super::job_target::JobTarget;
use super::queue::{RequestedJob, enqueue, new};
use crate::app::App;
use crate::engine::announce::{self, Announcement};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// Whether a deletion also removes the deployed objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Complete,
    RowsOnly,
}

/// Deletes jobs. Those that were never deployed are deleted at once, as are all jobs with `RowsOnly`; the engine deletes the rest.
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
        let mut deployed = Vec::new();
        for job in jobs {
            let known = store::deployment::newest_part_by_job(tx, job.id).await?.is_some();
            if removal == Removal::RowsOnly || !known {
                store::job::delete(tx, job.id).await?;
                announce::event(tx, Announcement::job("DELETE", &environment, &job), by, now).await?;
            } else {
                deployed.push(JobTarget::from(job));
            }
        }
        if deployed.is_empty() {
            return Ok::<_, Error>(());
        }
        refuse_while_deleted(tx, environment.id).await?;
        let deployed = able(tx, deployed, Action::Delete).await?;
        let row = new(environment.id, Action::Delete, Scope::Jobs, by, now);
        enqueue(tx, row, deployed.iter().map(|target| RequestedJob::plain(target.job.id)).collect()).await?;
        for JobTarget { job, .. } in &deployed {
            announce::event(tx, Announcement::job("DELETE_QUEUED", &environment, job), by, now).await?;
        }
        Ok(())
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Deletes an environment: at once with `RowsOnly` or if nothing in it was ever deployed, otherwise by the engine after its
/// jobs.
///
/// # Errors
/// `Conflict` while it is being deleted.
pub async fn delete_environment(app: &App, by: &Requester, id: EnvironmentId, removal: Removal) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        let deployed = store::deployment::newest_by_environment(tx, id).await?.is_some();
        if removal == Removal::RowsOnly || !deployed {
            announce::event(tx, Announcement::environment("DELETE", &environment), by, now).await?;
            store::environment::delete(tx, id).await?;
            return Ok::<_, Error>(());
        }
        request_environment_in(tx, by, id, Action::Delete, now).await.map(|_| ())
    })
    .await?;
    app.wake.now();
    Ok(())
}
