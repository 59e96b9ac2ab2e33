//! The pass that claims queued runs for free slots.

use chrono::{DateTime, Utc};

use super::lease::lease;
use crate::app::App;
use crate::engine::tick::pass::BATCH;
use crate::error::{Error, Result};
use crate::store;

/// Claims as many runs as there are free slots. `observe` starts them, as it does the runs taken over from a killed server.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let owned = store::run::count_by_owner(&app.db, app.instance).await?;
    let free = u64::from(app.config.max_runs).saturating_sub(owned).min(BATCH);
    if free == 0 {
        return Ok(false);
    }
    let lease = lease(app);
    let claimed =
        store::write(&app.db, async |tx| store::run::claim(tx, lease, now, free).await.map_err(Error::from)).await?;
    for run in claimed {
        let job = run.job_id.map(tracing::field::display);
        tracing::info!(run = %run.id, job, event = run.event.name(), attempt = run.attempt, "run claimed");
    }
    Ok(false)
}
