//! The pass that ends queued runs that were cancelled or waited too long.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::RunState;

use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::RunEvent;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, report, succeeded};
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::liveness::visits::Scope;
use crate::store;

const PASS: Pass = Pass::QueuedRuns;

/// Ends queued runs whose cancellation was requested, and those that found no free slot in time.
pub(in crate::engine::tick) async fn run_once(app: &App, scope: Scope, now: DateTime<Utc>) -> Result<bool> {
    let ids = store::run::list_queued_to_cancel(&app.db, app.setbacks.paused(PASS, now), BATCH).await?;
    let mut more = ids.len() as u64 == BATCH;
    for id in ids {
        let end = (RunEvent::Cancelled, RunState::Cancelled);
        try_end(app, id, end, "cancelled before the first attempt started".into(), now).await;
    }
    if scope == Scope::News {
        return Ok(more);
    }
    let limit = TimeDelta::seconds(app.config.queue_timeout_seconds.into());
    let late = store::run::list_queued_since(&app.db, now - limit, app.setbacks.paused(PASS, now), BATCH).await?;
    more |= late.len() as u64 == BATCH;
    for id in late {
        let reason = format!("timed out after {} s waiting for a free slot", limit.num_seconds());
        try_end(app, id, (RunEvent::Expired, RunState::Failed), reason, now).await;
    }
    Ok(more)
}

async fn try_end(app: &App, id: RunId, (event, state): (RunEvent, RunState), reason: String, now: DateTime<Utc>) {
    match end(app, id, event, reason.clone(), now).await {
        Ok(()) => succeeded(app, PASS, id),
        Err(error) => {
            if report(app, (PASS, "run"), id, &error, Wish::End, now) == Verdict::GiveUp {
                give_up::run(app, id, (state, reason), now).await;
            }
        }
    }
}

async fn end(app: &App, id: RunId, event: RunEvent, reason: String, now: DateTime<Utc>) -> Result<()> {
    let row = store::run::by_id(&app.db, id).await?.filter(|row| row.state == RunState::Queued);
    let Some(row) = row else { return Ok(()) };
    change(app, run::Model { reason: Some(reason), ..row }, event, now, RunEnd::default()).await?;
    Ok(())
}
