//! The start of an installation: schedules of `@reboot` are due once.
//!
//! It starts when a server starts while no other one is alive. Its lease is stored in the same transaction, under the lock of the
//! installation, so that of several servers that start together one begins, and a takeover begins nothing.

use entity::id::JobId;

use super::run::lease::LEASE;
use super::schedules;
use crate::app::App;
use crate::engine::cron::Timing;
use crate::error::{Error, Result};
use crate::store;
use crate::store::server_lease::Lease;

/// Makes the schedules due that run at each start, unless another server is alive. Call it once, before the engine runs.
///
/// # Errors
/// Database errors.
pub async fn begin(app: &App) -> Result<()> {
    let now = app.clock.now();
    let due = store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        if store::server_lease::any_other_live(tx, app.instance, now).await? {
            return Ok(0);
        }
        let mut due = 0;
        let mut after: Option<JobId> = None;
        loop {
            let page = store::job_schedule::list_at_start(tx, after, store::PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (job, spec) in page {
                if matches!(Timing::of(job, &spec), Ok(Some(timing)) if timing.is_at_start()) {
                    // A start that no server has come to is a row of its own.
                    schedules::settle(app, tx, job, now).await?;
                    store::job_schedule::set(tx, job, Some(now)).await?;
                    due += 1;
                }
            }
        }
        store::server_lease::renew(tx, Lease { owner: app.instance, until: now + LEASE }).await?;
        Ok::<_, Error>(due)
    })
    .await?;
    if due > 0 {
        tracing::info!(jobs = due, "jobs run because the server has started");
    }
    Ok(())
}
