//! What has to be done before a workspace is deleted or hidden: nothing of it may run, and its state must not be lost.

use chrono::{DateTime, Utc};
use entity::id::WorkspaceId;
use entity::workspace_job::JobStatus;
use entity::{state_version, workspace};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::destroy_protection;
use super::news::subject_deleted;
use super::requester::Requester;
use super::terraform_state::{StateHead, open_whole};
use super::workspace::{Reviewer, turn};
use super::workspace_event;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::alert::AlertsOf;
use crate::store::workspace::StepsOf;

/// Cancels the jobs of a workspace that wait.
///
/// # Errors
/// `Conflict` while one of them runs; database errors.
pub async fn end_jobs(
    app: &App,
    tx: &DatabaseTransaction,
    id: WorkspaceId,
    by: &Requester,
    now: DateTime<Utc>,
) -> Result<()> {
    let open = store::workspace::jobs(tx, id).await?;
    for (id, _) in open.into_iter().filter(|(_, status)| !status.is_final()) {
        let Some(job) = store::workspace::lock_job(tx, id).await? else { continue };
        if matches!(job.status, JobStatus::Queue | JobStatus::Running) {
            return Err(Error::Conflict(format!("job {id} of the workspace is running; cancel it first")));
        }
        let by = Reviewer { who: by, groups: &[], above: true };
        turn(app, tx, job, JobStatus::Cancelled, &by, now).await?;
    }
    refuse_open_run(tx, StepsOf::Workspace(id)).await
}

/// Nothing is deleted while one of its runs is open. The rejection scripts of a job run after its end.
///
/// # Errors
/// `Conflict` while one is open; database errors.
pub async fn refuse_open_run(db: &impl ConnectionTrait, of: StepsOf) -> Result<()> {
    match store::workspace::open_run(db, of).await? {
        Some(run) => Err(Error::Conflict(format!("run {} ({}) has not ended; try again later", run.number, run.id))),
        None => Ok(()),
    }
}

/// The newest state of a workspace, if it has resources or outputs.
async fn full_state(app: &App, tx: &DatabaseTransaction, id: WorkspaceId) -> Result<Option<state_version::Model>> {
    let Some(newest) = store::workspace::newest_state(tx, id).await? else { return Ok(None) };
    // A state that is stored in pieces is too large to be empty.
    let is_empty = newest.pieces.is_none()
        && StateHead::read(open_whole(&app.keys, &newest)?.as_slice()).is_ok_and(|head| head.is_empty);
    Ok(Some(newest).filter(|_| !is_empty))
}

/// Rejects the deletion of a workspace whose newest state has resources or outputs: nothing else knows what they are.
async fn refuse_state(app: &App, tx: &DatabaseTransaction, id: WorkspaceId) -> Result<()> {
    refuse_protected(app, tx, id).await?;
    let Some(newest) = full_state(app, tx, id).await? else { return Ok(()) };
    Err(Error::Conflict(format!(
        "the state of the workspace (serial {}) has resources or outputs; destroy them, empty the state (DELETE of its backend), or \
         set deleted to true, which keeps the state",
        newest.serial
    )))
}

/// Rejects the removal of a protected workspace with a state, even if the state is kept.
async fn refuse_protected(app: &App, tx: &DatabaseTransaction, id: WorkspaceId) -> Result<()> {
    let Some(row) = store::row::by_id::<workspace::Model>(tx, id).await? else { return Ok(()) };
    if row.destroy_protection && full_state(app, tx, id).await?.is_some() {
        destroy_protection::refuse(&row)?;
    }
    Ok(())
}

/// Before the row of a workspace is deleted.
///
/// # Errors
/// `Conflict` if its state describes something, or while something of it runs; database errors.
pub async fn before_delete(
    app: &App,
    tx: &DatabaseTransaction,
    id: WorkspaceId,
    by: &Requester,
    now: DateTime<Utc>,
) -> Result<()> {
    refuse_state(app, tx, id).await?;
    end_jobs(app, tx, id, by, now).await?;
    subject_deleted(tx, AlertsOf::Workspace(id), now).await?;
    Ok(store::workspace::expire_runs(tx, StepsOf::Workspace(id), now).await?)
}

/// Before a workspace is hidden, with its state.
///
/// # Errors
/// `Conflict` if it is protected and has a state, or while something of it runs; database errors.
pub async fn before_hiding(
    app: &App,
    tx: &DatabaseTransaction,
    id: WorkspaceId,
    by: &Requester,
    now: DateTime<Utc>,
) -> Result<()> {
    refuse_protected(app, tx, id).await?;
    end_jobs(app, tx, id, by, now).await?;
    Ok(store::workspace::disable_schedules(tx, id).await?)
}

/// What becomes of the state of a workspace that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFate {
    /// Deleted with the workspace, unless it describes something.
    Deleted,
    /// Kept, and the workspace with it, hidden.
    Kept,
}

/// Removes a workspace.
///
/// # Errors
/// `Conflict` with the reason if that is not possible now; database errors.
pub async fn remove(app: &App, id: WorkspaceId, state: StateFate, by: &Requester) -> Result<()> {
    let now = app.clock.now();
    let event = workspace_event::By { who: by, at: now };
    store::write(&app.db, async |tx| {
        let row = store::workspace::lock(tx, id).await?.filter(|row| !row.deleted);
        let row = row.ok_or(Error::NotFound("workspace"))?;
        match state {
            StateFate::Deleted => {
                before_delete(app, tx, id, by, now).await?;
                store::row::delete::<workspace::Model>(tx, id).await?;
                workspace_event::removed(tx, event, &row).await?;
            }
            StateFate::Kept => {
                before_hiding(app, tx, id, by, now).await?;
                // The jobs that were ended have changed it.
                let before = store::workspace::lock(tx, id).await?.unwrap_or(row);
                let updated_by = by.author().to_owned();
                let row = workspace::Model { deleted: true, updated_at: now, updated_by, ..before.clone() };
                let row = store::row::update(tx, row).await?;
                workspace_event::saved(tx, event, Some(&before), &row).await?;
            }
        }
        Ok::<_, Error>(())
    })
    .await?;
    app.wake.now();
    Ok(())
}
