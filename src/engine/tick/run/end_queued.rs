//! The pass that ends queued runs that were cancelled or waited too long.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;

use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::RunEvent;
use crate::engine::tick::pass::{BATCH, report};
use crate::error::Result;
use crate::store;

/// Ends queued runs whose cancellation was requested, and those that found no free slot in time.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
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
