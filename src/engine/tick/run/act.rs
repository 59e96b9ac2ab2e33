//! Carries out what the state machine decided about a running run.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::run;
use entity::run::RunState;

use super::begin::begin;
use super::end::end;
use super::log_copy::{append, with_lines};
use super::masks::masked_reason;
use super::observed::{Observation, Unstored};
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::masking::Followed;
use crate::engine::run::{Decision, RunEvent};
use crate::error::{Error, Result};
use crate::runner::Runner;
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::store;
use crate::store::run::{Advanced, Expected};

/// Acts on one run.
pub(super) async fn act(app: &App, seen: Observation<'_>, decision: Decision, now: DateTime<Utc>) -> Result<()> {
    match decision {
        Decision::Wait => store_progress(app, (seen.runner, &seen.name), seen.unstored, now).await?,
        Decision::Unreachable(reason) => note_unreachable(app, &seen.unstored.run, reason).await?,
        Decision::Start if app.shutdown.has_begun() => {}
        Decision::Start => Box::pin(begin(app, seen, now)).await?,
        Decision::Stop => {
            let grace = stop_grace(app, &seen.unstored.run);
            let run = seen.unstored.run.clone();
            store_progress(app, (seen.runner, &seen.name), seen.unstored, now).await?;
            stop(app, seen.runner, &seen.name, grace, &run, now).await?;
        }
        Decision::Retry { not_before, exit_code, reason } => {
            retry(app, seen, (not_before, exit_code, reason), now).await?;
        }
        Decision::End { event, exit_code, reason } => end(app, seen, (event, exit_code, reason), now).await?,
    }
    Ok(())
}

/// Records that the runner of a run no longer answers. The run goes on: when its runner answers again, it is followed to its end.
async fn note_unreachable(app: &App, run: &run::Model, reason: String) -> Result<()> {
    let reason = masked_reason(app, run, reason);
    let text = format!("the runner does not answer: {reason}");
    if run.reason.as_ref() != Some(&text) {
        tracing::warn!(run = %run.id, reason, "runner has not answered for a long time; the run goes on");
        store::write(&app.db, async |tx| {
            store::run::note_reason(tx, run.id, run.lease_owner, text.clone()).await.map_err(Error::from)
        })
        .await?;
    }
    Ok(())
}

/// The time between the signal that asks a run to stop and the kill.
pub(super) fn stop_grace(app: &App, run: &run::Model) -> Duration {
    let seconds = run.spec.stop_grace_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(seconds.unwrap_or(app.config.stop_grace_seconds.into()))
}

/// Queues the next attempt.
async fn retry(
    app: &App,
    seen: Observation<'_>,
    (not_before, exit_code, reason): (DateTime<Utc>, Option<i32>, String),
    now: DateTime<Utc>,
) -> Result<()> {
    let Observation { runner, name, unstored: Unstored { run, lines, .. }, .. } = seen;
    let (id, attempt) = (run.id, run.attempt);
    let reason = masked_reason(app, &run, reason);
    let queued = run::Model {
        attempt: attempt + 1,
        not_before,
        exit_code,
        reason: Some(format!("attempt {attempt} failed: {reason}")),
        ..run
    };
    let run_end = RunEnd { lines: lines.lines, ..RunEnd::default() };
    // Only the server that stored the results of a step may remove the step.
    if change(app, queued, RunEvent::Retried, now, run_end).await? {
        tracing::info!(run = %id, attempt, exit_code, reason, retry_at = %not_before, "attempt failed; will retry");
        log_failure(&name, with_time_limit(runner.remove(&name)).await);
    }
    Ok(())
}

/// Asks a runner to stop a run. That it is being stopped is recorded first, so that even after a crash the run does not end in
/// any other way; when the runner received the request is recorded afterwards.
async fn stop(
    app: &App,
    runner: &dyn Runner,
    name: &str,
    grace: Duration,
    run: &run::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    if run.stopping_at.is_none() {
        let begun = store::write(&app.db, async |tx| {
            store::run::begin_stop(tx, run.id, run.lease_owner, now).await.map_err(Error::from)
        });
        if !begun.await? {
            return Ok(());
        }
    }
    let stopped = with_time_limit(runner.stop(name, grace)).await;
    // A runner that answers but cannot stop the step has received the request, too.
    let received = stopped.is_ok() || with_time_limit(runner.poll(name)).await.is_ok();
    log_failure(name, stopped);
    if received && run.stop_asked_at.is_none() {
        store::write(&app.db, async |tx| {
            store::run::note_stop(tx, run.id, run.lease_owner, now).await.map_err(Error::from)
        })
        .await?;
        tracing::info!(run = %run.id, grace_seconds = grace.as_secs(), "run is being stopped");
    }
    Ok(())
}

/// Stores the new lines of a running run, and what else has changed.
pub(super) async fn store_progress(
    app: &App,
    (runner, name): (&dyn Runner, &str),
    unstored: Unstored,
    now: DateTime<Utc>,
) -> Result<()> {
    let Unstored { run, lines, touched } = unstored;
    let expected = Expected { state: RunState::Running, owner: run.lease_owner };
    let before = run.attempt_lines;
    let (run, pieces) = with_lines(app, run, lines.lines, Followed::ByMore);
    let stored = u64::try_from(run.attempt_lines - before).unwrap_or(0);
    if stored == 0 && !touched {
        return Ok(());
    }
    let run = run::Model { updated_at: now, finished_at: None, ..run };
    let is_stored = store::write(&app.db, async |tx| {
        // Update the run first: once another server owns it, its lines must not be stored twice.
        let advanced = store::run::advance(tx, expected, run.clone()).await? != Advanced::No;
        if advanced {
            append(app, tx, &run, pieces, now).await?;
        }
        Ok::<_, Error>(advanced)
    })
    .await?;
    if is_stored {
        app.metrics.lines_stored(stored);
        runner.lines_stored(name, u64::try_from(run.attempt_lines).unwrap_or(0));
    }
    Ok(())
}
