//! The pass over checks: pings that are missing become skipped times, and started runs that have not ended in time fail.

use chrono::{DateTime, Utc};

use super::pass::{BATCH, Wish, report, succeeded};
use crate::app::App;
use crate::engine::job_check::settle_due;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::Checks;

/// Decides about the checks that are due.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let paused = app.setbacks.paused(PASS, now);
    let due = store::job_check::due(&app.db, paused, now, BATCH).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let more = due.len() as u64 == BATCH;
    match settle_due(app, &due, now).await {
        Ok(_) => {
            for id in due {
                succeeded(app, PASS, id);
            }
            return Ok(more);
        }
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => {}
    }
    // One of them cannot be decided about; the others can. A check has no end; it is tried again after the longest pause.
    for id in due {
        match settle_due(app, &[id], now).await {
            Ok(_) => succeeded(app, PASS, id),
            Err(error) => {
                report(app, (PASS, "check"), id, &error, Wish::Process, now);
            }
        }
    }
    Ok(more)
}
