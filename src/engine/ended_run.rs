//! What follows from the end of a run: when it expires, which older ones do, and who is told.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::{Event, RunState};
use entity::run_spec::Retention;
use sea_orm::DatabaseTransaction;

use super::news::run_ended;
use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::run::Advanced;

/// When an ended run may be deleted because of its age.
pub(super) fn expiry(run: &run::Model) -> Option<DateTime<Utc>> {
    if run.event == Event::Workspace {
        // Deleted together with its job.
        return None;
    }
    let Retention { succeeded_days, failed_days, .. } = run.spec.keep;
    let days = if run.state == RunState::Succeeded { succeeded_days } else { failed_days };
    run.finished_at?.checked_add_signed(TimeDelta::days(days.into()))
}

/// Call this in the transaction that ends a run.
pub(super) async fn follow_up(
    app: &App,
    tx: &DatabaseTransaction,
    (run, advanced): (&run::Model, Advanced),
    now: DateTime<Utc>,
) -> Result<()> {
    expire_older(tx, run, now).await?;
    run_ended(app, tx, (run, advanced), now).await
}

/// Marks the oldest ended runs of the job for deletion if there are more than its retention keeps.
async fn expire_older(tx: &DatabaseTransaction, run: &run::Model, now: DateTime<Utc>) -> Result<()> {
    let Some(job) = run.job_id else { return Ok(()) };
    let Retention { succeeded, failed, .. } = run.spec.keep;
    let (states, kept): (&[RunState], i32) = match run.state {
        RunState::Succeeded => (&[RunState::Succeeded], succeeded),
        RunState::Failed | RunState::Cancelled => (&[RunState::Failed, RunState::Cancelled], failed),
        RunState::Queued | RunState::Running => return Ok(()),
    };
    let kept = u64::try_from(kept).unwrap_or(1);
    Ok(store::run::retention::expire_beyond(tx, job, states, kept, now).await?)
}
