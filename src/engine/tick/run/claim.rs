//! The passes over queued runs: cancels those nobody wants any more, expires those that waited too long, and claims the next ones.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;

use super::lease::lease;
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::RunEvent;
use crate::engine::tick::BATCH;
use crate::error::{Error, Result};
use crate::store;

pub(in crate::engine::tick) async fn cancel_queued(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let rows = store::run::list_queued_to_cancel(&app.db, BATCH).await?;
    let more = rows.len() as u64 == BATCH;
    for row in rows {
        let ended = run::Model { reason: Some("it was cancelled before it started".into()), ..row };
        change(app, ended, RunEvent::Cancelled, now, RunEnd::default()).await?;
    }
    let patience = TimeDelta::seconds(app.config.queue_timeout_seconds.into());
    for row in store::run::list_queued_since(&app.db, now - patience, BATCH).await? {
        let reason = format!("it found no place to run in {} seconds", patience.num_seconds());
        let ended = run::Model { reason: Some(reason), ..row };
        change(app, ended, RunEvent::Expired, now, RunEnd::default()).await?;
    }
    Ok(more)
}

pub(in crate::engine::tick) async fn claim(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mine = store::run::count_by_owner(&app.db, app.instance).await?;
    let room = u64::from(app.config.max_runs).saturating_sub(mine).min(BATCH);
    if room == 0 {
        return Ok(false);
    }
    store::write(&app.db, async |tx| store::run::claim(tx, lease(app, now), now, room).await.map_err(Error::from))
        .await?;
    // What was claimed is started by `observe`, which does the same for runs of a server that was killed.
    Ok(false)
}
