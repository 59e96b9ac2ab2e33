//! The pass over running runs: asks each one's runner, copies its log, and does what the state machine decides.

use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::run;
use entity::run::{Event, RunState};
use futures_util::StreamExt as _;

use super::begin::begin;
use super::end::end;
use super::lease::{lease, renew};
use super::log_copy::{CHUNK, copy, with_lines};
use super::observed::{Seen, Unstored, name_of};
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::cron::keeper::repeats_by_kubernetes;
use crate::engine::run::decide::{self, Decision, Facts, RunEvent};
use crate::error::{Error, Result};
use crate::runner::kubernetes::cluster_place;
use crate::runner::patience::{patient, quiet};
use crate::runner::{Lines, Runner, StepState, Target, Unavailable};
use crate::store;
use crate::store::run::{Expected, Orphans};

use super::end::LOG_PATIENCE;
use super::place::kind_of;

/// How often a run that goes on without a word is noted as seen.
const HEARTBEAT: TimeDelta = TimeDelta::seconds(30);

/// The most runs of other servers that one pass takes over, beside its own.
const ORPHANS: u64 = 1000;

/// How many runs are looked after at the same time.
const AT_ONCE: usize = 16;

pub(in crate::engine::tick) async fn observe(app: &App, now: DateTime<Utc>) -> Result<bool> {
    renew(app, now).await?;
    let mut places = Vec::new();
    for kind in [Target::Docker, Target::Process] {
        // An engine that does not answer is asked for none of the runs that it has.
        places.extend(patient(app.runners.get(kind).place()).await.ok());
    }
    // Clusters are the same for all servers.
    places.extend(app.runners.clusters.all().into_iter().map(|(id, _)| cluster_place::place(id)));
    let unreachable_before = now - TimeDelta::seconds(app.config.lost_timeout_seconds.into());
    let orphans = Orphans { places, unreachable_before };
    let most = u64::from(app.config.max_runs) + ORPHANS;
    let mine = async |tx: &sea_orm::DatabaseTransaction| {
        store::run::mine(tx, lease(app, now), &orphans, now, most).await.map_err(Error::from)
    };
    let runs = store::write(&app.db, mine).await?;
    let results: Vec<Result<bool>> = futures_util::stream::iter(runs.into_iter().map(|run| look_after(app, run, now)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.into_iter().try_fold(false, |more, result| Ok(more | result?))
}

/// Asks the runner about one run, copies what it wrote, and acts. True when more is to be copied.
async fn look_after(app: &App, run: run::Model, now: DateTime<Utc>) -> Result<bool> {
    let kind = match kind_of(app, &run).await? {
        Ok(kind) => kind,
        Err(refused) => {
            let ended = run::Model { reason: Some(refused), ..run };
            change(app, ended, RunEvent::Failed, now, RunEnd::default()).await?;
            return Ok(false);
        }
    };
    let runner = app.runners.get(kind);
    let runner = runner.as_ref();
    let name = name_of(&run);
    let observed = ask(runner, &run, &name).await;
    let copied = copy(runner, &run, &name, &observed).await;
    let ended = matches!(
        observed,
        Ok(StepState::Exited { .. }) | Ok(StepState::Failed { .. }) | Ok(StepState::CannotStart { .. })
    );
    let began =
        matches!(observed, Ok(StepState::Running) | Ok(StepState::Exited { .. }) | Ok(StepState::Failed { .. }));
    // What is to be noted although it wrote nothing: that it has begun, and now and then that it is still there.
    let news = began && (run.attempt_started_at.is_none() || run.updated_at + HEARTBEAT <= now);
    let run = if began { with_times(run, runner, &name, ended, now).await } else { run };
    let (lines, lost) = match copied {
        Ok(lines) => (lines, None),
        // An ended run waits for its log, but not for good.
        Err(_) if ended && now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(false),
        Err(_) => (Lines { lines: Vec::new(), end: true }, ended.then_some("its log could not be read to the end")),
    };
    if ended && !lines.end {
        keep(app, Unstored { run, lines, news }, now).await?;
        return Ok(true);
    }
    let more = lines.lines.len() >= CHUNK;
    let decision = decide::decide(&facts(app, &run, kind), observed, now);
    act(app, Seen { runner, kind, name, kept: Unstored { run, lines, news }, lost }, decision, now).await?;
    Ok(more)
}

/// What the runner says of a run; one that another engine has can only be told lost.
async fn ask(runner: &dyn Runner, run: &run::Model, name: &str) -> Result<StepState, Unavailable> {
    if let Some(place) = &run.place {
        let here = patient(runner.place()).await?;
        if here != *place {
            return Ok(StepState::Lost);
        }
    }
    patient(runner.poll(name)).await
}

async fn act(app: &App, seen: Seen<'_>, decision: Decision, now: DateTime<Utc>) -> Result<()> {
    match decision {
        Decision::Wait => keep(app, seen.kept, now).await?,
        Decision::Start => begin(app, seen.runner, seen.kind, seen.kept.run, now).await?,
        Decision::Stop => {
            let seconds = seen.kept.run.spec.stop_grace_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            let grace = Duration::from_secs(seconds.unwrap_or(app.config.stop_grace_seconds.into()));
            let run = seen.kept.run.clone();
            keep(app, seen.kept, now).await?;
            stop(app, seen.runner, &seen.name, grace, &run, now).await?;
        }
        Decision::Retry { not_before, exit_code } => {
            let Seen { runner, name, kept: Unstored { run, lines, .. }, .. } = seen;
            let attempt = run.attempt + 1;
            let again = run::Model {
                attempt,
                not_before,
                exit_code: Some(exit_code),
                attempt_started_at: None,
                stop_asked_at: None,
                ..run
            };
            let run_end = RunEnd { lines: lines.lines, ..RunEnd::default() };
            // Only whoever has stored what a step left may take it away.
            if change(app, again, RunEvent::Retried, now, run_end).await? {
                quiet(&name, patient(runner.remove(&name)).await);
            }
        }
        Decision::End { event, exit_code, reason } => end(app, seen, (event, exit_code, reason), now).await?,
    }
    Ok(())
}

/// Asks a runner to stop a run, and notes the first time that it heard of that.
async fn stop(
    app: &App,
    runner: &dyn Runner,
    name: &str,
    grace: Duration,
    run: &run::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let asked = patient(runner.stop(name, grace)).await;
    // A runner that answers, but cannot stop it, has heard of it too.
    let heard = asked.is_ok() || patient(runner.poll(name)).await.is_ok();
    quiet(name, asked);
    if heard && run.stop_asked_at.is_none() {
        store::run::note_stop(&app.db, run.id, run.lease_owner, now).await?;
    }
    Ok(())
}

fn facts(app: &App, run: &run::Model, kind: Target) -> Facts {
    let cluster = matches!(kind, Target::Kubernetes(_));
    let seconds = |seconds: i32| TimeDelta::seconds(seconds.into());
    let config_seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
    Facts {
        attempt: run.attempt,
        // Kubernetes starts failed attempts again by itself, and keeps the limit of time.
        max_nb_restart: if cluster && repeats_by_kubernetes(&run.spec) { 0 } else { run.spec.max_nb_restart },
        max_duration_seconds: if cluster { 0 } else { run.spec.max_duration_seconds },
        ready_at: run.not_before,
        start_timeout: config_seconds(app.config.start_timeout_seconds),
        started_at: run.started_at,
        attempt_started: run.attempt_started_at.is_some(),
        handed_over: run.place.is_some(),
        cancel_requested_at: run.cancel_requested_at,
        stop_asked_at: run.stop_asked_at,
        seen_at: run.updated_at.max(run.not_before),
        lost_after: config_seconds(app.config.lost_timeout_seconds),
        stop_grace: run.spec.stop_grace_seconds.map_or(config_seconds(app.config.stop_grace_seconds), seconds),
        backoff: seconds(run.spec.retry_backoff_seconds.unwrap_or(10)),
        success_exit_codes: run.spec.success_exit_codes.clone(),
        fail_fast_exit_codes: run.spec.fail_fast_exit_codes.clone(),
        repeatable: matches!(run.event, Event::Build | Event::Apply),
    }
}

/// Notes when the attempt began and ended, by its runner where that knows, but never after now.
async fn with_times(run: run::Model, runner: &dyn Runner, name: &str, ended: bool, now: DateTime<Utc>) -> run::Model {
    if run.attempt_started_at.is_some() && !ended {
        return run;
    }
    let times = patient(runner.times(name)).await.unwrap_or_default();
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

/// Stores what is new of a run that goes on, and now and then that it was seen.
async fn keep(app: &App, kept: Unstored, now: DateTime<Utc>) -> Result<()> {
    let Unstored { run, lines, news } = kept;
    if lines.lines.is_empty() && !news {
        return Ok(());
    }
    let expected = Expected { state: RunState::Running, owner: run.lease_owner };
    let stored = lines.lines.len() as u64;
    let (run, pieces) = with_lines(app, run, lines.lines)?;
    store::write(&app.db, async |tx| {
        // The run first: when it is no longer ours the lines are not stored twice.
        if store::run::advance(tx, expected, run::Model { updated_at: now, finished_at: None, ..run }).await? {
            store::log_chunk::append(tx, pieces).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    app.metrics.lines_stored(stored);
    Ok(())
}
