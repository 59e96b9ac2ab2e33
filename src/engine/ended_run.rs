//! What follows from the end of a run: when it expires, which older ones do, and who is told.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::{Event, RunState};
use entity::run_spec::Retention;
use sea_orm::DatabaseTransaction;

use super::news::runs_ended;
use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::run::Follows;

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
    ended: (&run::Model, Follows),
    now: DateTime<Utc>,
) -> Result<()> {
    follow_up_all(app, tx, &[ended], now).await
}

/// The same for several runs.
pub(super) async fn follow_up_all(
    app: &App,
    tx: &DatabaseTransaction,
    ended: &[(&run::Model, Follows)],
    now: DateTime<Utc>,
) -> Result<()> {
    for (run, _) in ended.iter().filter(|(_, follows)| follows.is_beyond) {
        expire_older(tx, run, now).await?;
    }
    runs_ended(app, tx, ended, now).await
}

/// Marks the oldest ended runs of the job for deletion that its retention does not keep.
async fn expire_older(tx: &DatabaseTransaction, run: &run::Model, now: DateTime<Utc>) -> Result<()> {
    let (Some(job), Some((states, kept))) = (run.job_id, store::run::kept(run)) else { return Ok(()) };
    Ok(store::run::retention::expire_beyond(tx, job, states, kept, now).await?)
}
