//! The pass that deletes expired runs and skipped times, a bounded number of rows at a time.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;

use super::pass::{Wish, report, succeeded};
use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

/// How many runs, and how many skipped times, one pass deletes.
const ROWS: u64 = 200;
/// How many log chunks one pass deletes: a few tens of MiB at most.
const CHUNKS: u64 = 500;

const PASS: Pass = Pass::Prune;

/// Deletes expired rows. Returns true if more are waiting.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let expired = store::run::retention::list_expired(&app.db, app.setbacks.paused(PASS, now), now, ROWS).await?;
    let mut more = expired.len() as u64 == ROWS;
    let (mut left, mut empty) = (CHUNKS, Vec::new());
    for run in expired {
        // Chunks first, so that no single statement deletes a long log.
        let gone =
            store::write(&app.db, async |tx| store::log_chunk::delete_some(tx, run, left).await.map_err(Error::from))
                .await;
        match gone {
            Ok(gone) if gone == left => {
                more = true;
                break;
            }
            Ok(gone) => {
                left -= gone;
                empty.push(run);
            }
            Err(error) => {
                report(app, (PASS, "run"), run, &error, Wish::Process, now);
            }
        }
    }
    delete(app, empty, now).await;
    let before = now - TimeDelta::days(app.config.skipped_days.into());
    let skipped =
        store::write(&app.db, async |tx| store::run::skipped::delete_some(tx, before, ROWS).await.map_err(Error::from))
            .await?;
    Ok(more || skipped == ROWS)
}

/// Deletes runs without logs: all at once, or one by one if one of them cannot be deleted.
async fn delete(app: &App, runs: Vec<RunId>, now: DateTime<Utc>) {
    let some = async |runs: Vec<RunId>| {
        store::write(&app.db, async |tx| store::run::retention::delete(tx, runs).await.map_err(Error::from)).await
    };
    if runs.is_empty() || some(runs.clone()).await.is_ok() {
        return;
    }
    for run in runs {
        match some(vec![run]).await {
            Ok(()) => succeeded(app, PASS, run),
            Err(error) => {
                report(app, (PASS, "run"), run, &error, Wish::Process, now);
            }
        }
    }
}
