//! Ends workspace jobs, and says why.

use chrono::{DateTime, Utc};
use entity::workspace_job::{self, JobStatus};
use sea_orm::DatabaseTransaction;

use super::news;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// Why no job of a hidden workspace goes on: nobody would see what it does, or reach its state.
pub(super) const HIDDEN: &str = "cancelled: the workspace was disabled or deleted";

/// Cancels a job of which no step is being executed, and says why.
pub(super) async fn withdraw(
    app: &App,
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    why: String,
    now: DateTime<Utc>,
) -> Result<()> {
    let waited = job.status == JobStatus::WaitingApproval;
    store::workspace::turn_steps(tx, job.id, (JobStatus::Pending, JobStatus::Cancelled), now).await?;
    tracing::info!(job = job.id, why, "workspace job cancelled");
    let job = workspace_job::Model { status: JobStatus::Cancelled, output: Some(why), updated_at: now, ..job };
    let job = store::workspace::update_job(tx, job).await?;
    if waited {
        news::approval_decided(app, tx, &job, now).await?;
    }
    Ok(())
}

/// Cancels the other open jobs of the workspace of a job, and says why. A step that is being executed is asked to end.
pub(super) async fn withdraw_others(
    app: &App,
    tx: &DatabaseTransaction,
    of: &workspace_job::Model,
    why: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut open = store::workspace::jobs(tx, of.workspace_id).await?;
    open.retain(|(id, status)| *id != of.id && !status.is_final());
    open.sort_unstable_by_key(|(id, _)| *id);
    for (id, _) in open {
        let locked = store::workspace::lock_job(tx, id).await?;
        let Some(job) = locked.filter(|job| !job.status.is_final()) else { continue };
        if !matches!(job.status, JobStatus::Queue | JobStatus::Running) {
            withdraw(app, tx, job, why.to_owned(), now).await?;
            continue;
        }
        store::workspace::cancel_runs(tx, job.id, now).await?;
        tracing::info!(job = job.id, why, "cancellation of a workspace job requested");
        let (output, since) = (Some(why.to_owned()), job.cancel_requested_at.or(Some(now)));
        let job = workspace_job::Model { output, cancel_requested_at: since, updated_at: now, ..job };
        store::workspace::update_job(tx, job).await?;
    }
    Ok(())
}
