//! The pass that ends queued runs that were cancelled, waited too long for a slot, or are past their starting deadline.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::RunState;

use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::{QueuedEnd, QueuedStart, WaitsFor, missed_time};
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, report, succeeded};
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::liveness::visits::Scope;
use crate::store;
use crate::store::run::QueuedRun;

/// How many queued runs a pass looks at; the next one goes on behind them.
const LOOKED_AT: u64 = 500;

const PASS: Pass = Pass::QueuedRuns;

/// Ends queued runs whose cancellation was requested, and those that may not wait any longer.
pub(in crate::engine::tick) async fn run_once(app: &App, scope: Scope, now: DateTime<Utc>) -> Result<bool> {
    let ids = store::run::list_queued_to_cancel(&app.db, app.setbacks.paused(PASS, now), BATCH).await?;
    let more = ids.len() as u64 == BATCH;
    for id in ids {
        try_end(app, id, QueuedEnd::Cancelled, now).await;
    }
    if scope == Scope::News {
        return Ok(more);
    }
    let paused = app.setbacks.paused(PASS, now);
    for queued in app.queue_walk.next(&app.db, LOOKED_AT).await? {
        if paused.contains(&queued.id.0) {
            continue;
        }
        if let Some(end) = end_of(app, &queued, now).await? {
            try_end(app, queued.id, end, now).await;
        }
    }
    Ok(more)
}

/// Whether and why a queued run ends now.
async fn end_of(app: &App, queued: &QueuedRun, now: DateTime<Utc>) -> Result<Option<QueuedEnd>> {
    let most = TimeDelta::seconds(app.config.queue_timeout_seconds.into());
    let mut start = QueuedStart {
        scheduled_for: queued.scheduled_for,
        starting_deadline_seconds: queued.starting_deadline_seconds,
        attempt: queued.attempt,
        waits_for: if queued.is_its_turn { WaitsFor::Slot } else { WaitsFor::Turn },
        since: (!queued.of_backfill).then_some(queued.not_before),
    };
    let end = start.end(most, now);
    if let (Some(QueuedEnd::NoSlot(_)), true, Some(job)) = (end, queued.in_turn, queued.job_id) {
        // Only the time since its turn came counts.
        start.since = start.since.max(store::run::turn_came(&app.db, job, queued.number).await?);
        return Ok(start.end(most, now));
    }
    Ok(end)
}

async fn try_end(app: &App, id: RunId, why: QueuedEnd, now: DateTime<Utc>) {
    match end(app, id, why, now).await {
        Ok(()) => succeeded(app, PASS, id),
        Err(error) => {
            if report(app, (PASS, "run"), id, &error, Wish::End, now) == Verdict::GiveUp {
                // A time that nobody gave up on purpose is told as a failure, because it cannot be told as missed.
                let state = if why == QueuedEnd::Cancelled { RunState::Cancelled } else { RunState::Failed };
                give_up::run(app, id, (state, why.words()), now).await;
            }
        }
    }
}

async fn end(app: &App, id: RunId, why: QueuedEnd, now: DateTime<Utc>) -> Result<()> {
    let row = store::run::by_id(&app.db, id).await?.filter(|row| row.state == RunState::Queued);
    let Some(row) = row else { return Ok(()) };
    let missed = matches!(why, QueuedEnd::TooLate(_)).then(|| missed_time(&row, now)).flatten();
    let row = run::Model { reason: Some(why.reason(&row)), ..row };
    change(app, row, why.event(), now, RunEnd { missed, ..RunEnd::default() }).await?;
    Ok(())
}
