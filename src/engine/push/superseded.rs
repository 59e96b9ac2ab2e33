//! A newer push makes the plans of older ones of its branch pointless: those that wait are cancelled.

use chrono::{DateTime, Utc};
use entity::workspace_job::{self, JobStatus};
use entity::workspace_push;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::app::App;
use crate::engine::job_withdrawal::withdraw;
use crate::error::Result;
use crate::store;

/// How many older jobs one push ends. More cannot wait: each push has ended those before it.
const OLDER: u64 = 100;

/// How the text begins that says which job has superseded another one.
pub const SUPERSEDED: &str = "superseded by job ";

fn why(newer: i32, push: &workspace_push::Model) -> String {
    match push.pr_number {
        Some(number) => format!("{SUPERSEDED}{newer}: the pull request {number} has newer commits"),
        None => {
            format!("{SUPERSEDED}{newer}: the branch {} has newer commits", push.branch.as_deref().unwrap_or_default())
        }
    }
}

/// Cancels the older jobs of the branch, or of the pull request, that have not begun or wait for an approval.
pub(super) async fn end_older(
    app: &App,
    tx: &DatabaseTransaction,
    (newer, push): (i32, &workspace_push::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    for id in store::push::older_waiting(tx, push, newer, OLDER).await? {
        // One that is being advanced is locked; it is superseded when it waits.
        let Some(job) = store::push::lock_free_job(tx, id).await? else { continue };
        let waits = match job.status {
            JobStatus::WaitingApproval => true,
            // A job is pending between its steps, too.
            JobStatus::Pending => {
                let steps = store::workspace::steps(tx, id).await?;
                steps.iter().all(|step| step.status == JobStatus::Pending)
            }
            _ => false,
        };
        if waits {
            withdraw(app, tx, job, why(newer, push), now).await?;
        }
    }
    Ok(())
}

/// Why a job need not wait for an approval: there is a newer one of its branch.
///
/// # Errors
/// Database errors.
pub async fn reason(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<String>> {
    let Some(id) = job.push_id else { return Ok(None) };
    let Some(push) = store::row::by_id::<workspace_push::Model>(db, id).await? else { return Ok(None) };
    let newer = store::push::newer_job(db, &push, job.id).await?;
    Ok(newer.map(|newer| why(newer, &push)))
}

/// Cancels a job that would wait for an approval now, if there is a newer one of its branch. Returns the job if it goes on.
///
/// # Errors
/// Database errors.
pub async fn end_if_older(
    app: &App,
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    now: DateTime<Utc>,
) -> Result<Option<workspace_job::Model>> {
    let Some(why) = reason(tx, &job).await? else { return Ok(Some(job)) };
    withdraw(app, tx, job, why, now).await?;
    Ok(None)
}
