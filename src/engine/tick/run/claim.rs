//! The passes over queued runs: ends those that were cancelled or waited too long, and claims the next ones.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;

use super::lease::lease;
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::RunEvent;
use crate::engine::tick::{BATCH, report};
use crate::error::{Error, Result};
use crate::store;

/// Ends queued runs whose cancellation was requested, and those that found no free slot in time.
pub(in crate::engine::tick) async fn cancel_queued(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let rows = store::run::list_queued_to_cancel(&app.db, BATCH).await?;
    let more = rows.len() as u64 == BATCH;
    for row in rows {
        end(app, row, RunEvent::Cancelled, "cancelled before the first attempt started".into(), now).await;
    }
    let limit = TimeDelta::seconds(app.config.queue_timeout_seconds.into());
    for row in store::run::list_queued_since(&app.db, now - limit, BATCH).await? {
        let reason = format!("timed out after {} s waiting for a free slot", limit.num_seconds());
        end(app, row, RunEvent::Expired, reason, now).await;
    }
    Ok(more)
}

async fn end(app: &App, row: run::Model, event: RunEvent, reason: String, now: DateTime<Utc>) {
    let id = row.id;
    let ended = run::Model { reason: Some(reason), ..row };
    if let Err(error) = change(app, ended, event, now, RunEnd::default()).await {
        report("end queued runs", "run", &id, &error);
    }
}

/// Claims as many runs as there are free slots. `observe` starts them, as it does those of a server that was killed.
pub(in crate::engine::tick) async fn claim(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let owned = store::run::count_by_owner(&app.db, app.instance).await?;
    let free = u64::from(app.config.max_runs).saturating_sub(owned).min(BATCH);
    if free == 0 {
        return Ok(false);
    }
    let lease = lease(app, now);
    let claimed =
        store::write(&app.db, async |tx| store::run::claim(tx, lease, now, free).await.map_err(Error::from)).await?;
    for run in claimed {
        let job = run.job_id.map(tracing::field::display);
        tracing::info!(run = %run.id, job, event = run.event.name(), attempt = run.attempt, "run claimed");
    }
    Ok(false)
}
