//! The pass over running runs: polls the step of each run, copies its log, and carries out the decision of the state machine.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::run;
use futures_util::StreamExt as _;

use super::act::{act, store_progress};
use super::end::LOG_PATIENCE;
use super::facts::facts;
use super::lease::{lease, renew};
use super::log_copy::{CHUNK, copy};
use super::observed::{Observation, Unstored, name_of};
use super::outcome::{RunEnd, change};
use super::place::kind_of;
use crate::app::App;
use crate::engine::run::{RunEvent, decide};
use crate::engine::tick::pass::report;
use crate::error::{Error, Result};
use crate::runner::kubernetes::cluster_place;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{Lines, Runner, StepState, Target, Unavailable};
use crate::store;
use crate::store::run::Orphans;

/// How often a run that writes nothing is recorded as seen.
const HEARTBEAT: TimeDelta = TimeDelta::seconds(30);
/// How many runs of other servers one pass takes over at most, besides its own.
const ORPHANS: u64 = 1000;
/// How many runs are observed at the same time.
const CONCURRENCY: usize = 16;

/// Observes all runs of this server, after taking over those whose lease has expired. An error in one run is logged and does
/// not affect the others; the next tick tries again.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    renew(app, now).await?;
    let runs = owned(app, now).await?;
    let results: Vec<bool> = futures_util::stream::iter(runs.into_iter().map(|run| async move {
        let id = run.id;
        observe_one(app, run, now).await.unwrap_or_else(|error| {
            report("observe", "run", &id, &error);
            false
        })
    }))
    .buffer_unordered(CONCURRENCY)
    .collect()
    .await;
    Ok(results.contains(&true))
}

/// The running runs that this server owns.
async fn owned(app: &App, now: DateTime<Utc>) -> Result<Vec<run::Model>> {
    let mut places = Vec::new();
    for kind in [Target::Docker, Target::Process] {
        // While an engine does not answer, none of its runs are taken over.
        places.extend(with_time_limit(app.runners.get(kind).place()).await.ok());
    }
    // Every server reaches the same clusters.
    places.extend(app.runners.clusters.all().into_iter().map(|(id, _)| cluster_place::place(id)));
    let unreachable_before = now - TimeDelta::seconds(app.config.lost_timeout_seconds.into());
    let orphans = Orphans { places, unreachable_before };
    let limit = u64::from(app.config.max_runs) + ORPHANS;
    store::write(&app.db, async |tx: &sea_orm::DatabaseTransaction| {
        store::run::mine(tx, lease(app, now), &orphans, now, limit).await.map_err(Error::from)
    })
    .await
}

/// Observes one run and acts on it. True when more of its log is waiting to be copied.
async fn observe_one(app: &App, run: run::Model, now: DateTime<Utc>) -> Result<bool> {
    let kind = match kind_of(app, &run).await? {
        Ok(kind) => kind,
        Err(reason) => {
            let ended = run::Model { reason: Some(reason), ..run };
            change(app, ended, RunEvent::Failed, now, RunEnd::default()).await?;
            return Ok(false);
        }
    };
    let runner = app.runners.get(kind);
    let runner = runner.as_ref();
    let name = name_of(&run);
    let observed = ask(runner, &run, &name).await;
    let copied = copy(runner, &run, &name, &observed).await;
    let ended =
        matches!(observed, Ok(StepState::Exited { .. } | StepState::Failed { .. } | StepState::CannotStart { .. }));
    let began = matches!(observed, Ok(StepState::Running | StepState::Exited { .. } | StepState::Failed { .. }));
    let touched = began && (run.attempt_started_at.is_none() || run.updated_at + HEARTBEAT <= now);
    let run = if began { with_times(run, runner, &name, ended, now).await } else { run };
    let (lines, log_problem) = match copied {
        Ok(lines) => (lines, None),
        // An ended run waits for its log, but only for a while.
        Err(_) if ended && now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(false),
        Err(_) => (Lines { lines: Vec::new(), end: true }, ended.then_some("the end of the log could not be read")),
    };
    if ended && !lines.end {
        store_progress(app, Unstored { run, lines, touched }, now).await?;
        return Ok(true);
    }
    let more = lines.is_full(CHUNK);
    let decision = decide(&facts(app, &run, kind), observed, now);
    let unstored = Unstored { run, lines, touched };
    act(app, Observation { runner, kind, name, unstored, log_problem }, decision, now).await?;
    Ok(more)
}

/// The state of a run's step, as its runner reports it. A run that was handed to another engine counts as lost.
async fn ask(runner: &dyn Runner, run: &run::Model, name: &str) -> Result<StepState, Unavailable> {
    if let Some(place) = &run.place {
        let here = with_time_limit(runner.place()).await?;
        if here != *place {
            return Ok(StepState::Lost);
        }
    }
    with_time_limit(runner.poll(name)).await
}

/// Sets when the attempt began and ended: by the runner's clock if that is known, but never after `now`.
async fn with_times(run: run::Model, runner: &dyn Runner, name: &str, ended: bool, now: DateTime<Utc>) -> run::Model {
    if run.attempt_started_at.is_some() && !ended {
        return run;
    }
    let times = with_time_limit(runner.times(name)).await.unwrap_or_default();
    let microseconds = |time: DateTime<Utc>| time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time).min(now);
    let began = times.started_at.map_or(now, microseconds);
    run::Model {
        started_at: run.started_at.or(Some(began)),
        attempt_started_at: run.attempt_started_at.or(Some(began)),
        finished_at: times.finished_at.map(microseconds).filter(|_| ended),
        attempt: if run.step.is_some() { times.attempts.unwrap_or(run.attempt).max(run.attempt) } else { run.attempt },
        ..run
    }
}
