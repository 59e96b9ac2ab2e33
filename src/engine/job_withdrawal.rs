//! Ends workspace jobs of which no step is being executed, and says why.

use chrono::{DateTime, Utc};
use entity::workspace_job::{self, JobStatus};
use sea_orm::DatabaseTransaction;

use super::news;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// Cancels a job, and says why.
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
