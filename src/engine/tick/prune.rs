//! The pass that deletes expired runs and skipped times, a bounded number of rows at a time.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// How many runs, and how many skipped times, one pass deletes.
const ROWS: u64 = 200;
/// How many log chunks one pass deletes: a few tens of MiB at most.
const CHUNKS: u64 = 500;

/// Deletes expired rows. Returns true if more are waiting.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let expired = store::run::retention::list_expired(&app.db, now, ROWS).await?;
    let mut more = expired.len() as u64 == ROWS;
    let (mut left, mut empty) = (CHUNKS, Vec::new());
    for run in expired {
        // Chunks first, so that no single statement deletes a long log.
        let gone =
            store::write(&app.db, async |tx| store::log_chunk::delete_some(tx, run, left).await.map_err(Error::from))
                .await?;
        if gone == left {
            more = true;
            break;
        }
        left -= gone;
        empty.push(run);
    }
    if !empty.is_empty() {
        store::write(&app.db, async |tx| store::run::retention::delete(tx, empty).await.map_err(Error::from)).await?;
    }
    let before = now - TimeDelta::days(app.config.skipped_days.into());
    let skipped =
        store::write(&app.db, async |tx| store::run::skipped::delete_some(tx, before, ROWS).await.map_err(Error::from))
            .await?;
    Ok(more || skipped == ROWS)
}
