//! The passes that hand queued runs to a runner and look after running ones until they have ended.

use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::log_line::{self, LogStream};
use entity::run;
use entity::run::{RunState, RunnerKind};
use futures_util::StreamExt as _;

use super::BATCH;
use super::step::{run_of, step, step_name};
use crate::app::App;
use crate::engine::state::{self, Decision, Facts, Observed, RunEvent};
use crate::error::{Error, Result};
use crate::runner::{self, Kind, Lines, Progress, Runner, StepSpec, Unavailable};
use crate::store;
use crate::store::run::{Expected, Lease};

/// How long a server's runs are its own after it was last heard of.
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// For one call of a runner.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an ended run waits for a log that cannot be read.
const LOG_PATIENCE: TimeDelta = TimeDelta::minutes(2);
/// How many lines of one run are copied in one transaction.
const CHUNK: usize = 2_000;
/// How many runs are looked after at the same time.
const AT_ONCE: usize = 16;

pub(super) async fn cancel_queued(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let rows = store::run::list_queued_to_cancel(&app.db, BATCH).await?;
    let more = rows.len() as u64 == BATCH;
    for row in rows {
        let ended = run::Model { reason: Some("it was cancelled before it started".into()), ..row };
        change(app, ended, RunEvent::Cancelled, now, Vec::new()).await?;
    }
    Ok(more)
}

pub(super) async fn claim(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mine = store::run::count_by_owner(&app.db, app.instance).await?;
    let room = u64::from(app.config.max_runs).saturating_sub(mine).min(BATCH);
    if room == 0 {
        return Ok(false);
    }
    let lease = Lease { owner: app.instance, until: now + LEASE };
    store::write(&app.db, async |tx| store::run::claim(tx, lease, now, room).await.map_err(Error::from)).await?;
    // What was claimed is started by `observe`, which does the same for runs of a server that was killed.
    Ok(false)
}

pub(super) async fn observe(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let lease = Lease { owner: app.instance, until: now + LEASE };
    let runs =
        store::write(&app.db, async |tx| store::run::renew(tx, lease, now, BATCH).await.map_err(Error::from)).await?;
    let results: Vec<Result<bool>> = futures_util::stream::iter(runs.into_iter().map(|run| look_after(app, run, now)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.into_iter().try_fold(false, |more, result| Ok(more | result?))
}

/// Ends what runs that have ended left on the runners: a server can be killed between the two.
pub async fn sweep(app: &App) {
    for kind in [Kind::Docker, Kind::Process] {
        if let Err(error) = sweep_runner(app, kind).await {
            tracing::debug!(?kind, ?error, "looking for left behind steps failed");
        }
    }
}

async fn sweep_runner(app: &App, kind: Kind) -> Result<()> {
    let runner = app.runners.get(kind);
    let names = patient(runner.list()).await.map_err(|e| Error::internal(e.0))?;
    let ids = names.iter().filter_map(|name| run_of(name)).collect();
    let runs = store::run::list_by_ids(&app.db, ids).await?;
    for name in names {
        let run = runs.iter().find(|run| Some(run.id) == run_of(&name));
        // Steps of unknown runs belong to another installation on the same engine.
        let over = run.is_some_and(|run| run.state.is_final() || step_name(run.id, run.attempt) != name);
        if over {
            patient(runner.remove(&name)).await.map_err(|e| Error::internal(e.0))?;
        }
    }
    Ok(())
}

/// Asks the runner about one run, copies what it wrote, and acts. True when more is to be copied.
async fn look_after(app: &App, run: run::Model, now: DateTime<Utc>) -> Result<bool> {
    let kind = match (run.runner, &app.runners.local) {
        (Some(RunnerKind::Docker), _) => Kind::Docker,
        (Some(RunnerKind::Process), _) => Kind::Process,
        (None, Ok(kind)) => *kind,
        (None, Err(refused)) => {
            let ended = run::Model { reason: Some(refused.clone()), ..run };
            change(app, ended, RunEvent::Failed, now, Vec::new()).await?;
            return Ok(false);
        }
    };
    let runner = app.runners.get(kind).as_ref();
    let name = step_name(run.id, run.attempt);
    let observed = match patient(runner.poll(&name)).await {
        Ok(progress) => observed(progress),
        Err(Unavailable(reason)) => Observed::Silent { reason },
    };
    let copied = copy(runner, &run, &name, &observed).await;
    let ended = matches!(observed, Observed::Exited { .. } | Observed::CannotStart { .. });
    let began = matches!(observed, Observed::Running | Observed::Exited { .. });
    let run = if began { with_times(run, runner, &name, ended, now).await } else { run };
    let (lines, lost) = match copied {
        Ok(lines) => (lines, None),
        // An ended run waits for its log, but not for good.
        Err(_) if ended && now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(false),
        Err(_) => (Lines { lines: Vec::new(), end: true }, ended.then_some("its log could not be read to the end")),
    };
    if ended && !lines.end {
        keep(app, run, true, lines, now).await?;
        return Ok(true);
    }
    let more = lines.lines.len() >= CHUNK;
    let decision = state::decide(&facts(app, &run), observed, now);
    act(app, Seen { runner, kind, name, run, began, lines, lost }, decision, now).await?;
    Ok(more)
}

/// What was seen of a run.
struct Seen<'a> {
    runner: &'a dyn Runner,
    kind: Kind,
    name: String,
    run: run::Model,
    /// Whether the present attempt has begun.
    began: bool,
    lines: Lines,
    /// Why the log is not whole.
    lost: Option<&'static str>,
}

async fn act(app: &App, seen: Seen<'_>, decision: Decision, now: DateTime<Utc>) -> Result<()> {
    let Seen { runner, kind, name, run, began, lines, lost } = seen;
    match decision {
        Decision::Wait => keep(app, run, began, lines, now).await?,
        Decision::Start => begin(app, runner, kind, run, now).await?,
        Decision::Stop => {
            let grace = Duration::from_secs(app.config.stop_grace_seconds.into());
            keep(app, run, began, lines, now).await?;
            quiet(&name, patient(runner.stop(&name, grace)).await);
        }
        Decision::Retry { not_before, exit_code } => {
            let attempt = run.attempt + 1;
            let again = run::Model { attempt, not_before, exit_code: Some(exit_code), attempt_started_at: None, ..run };
            change(app, again, RunEvent::Retried, now, lines.lines).await?;
            quiet(&name, patient(runner.remove(&name)).await);
        }
        Decision::End { event, exit_code, reason } => {
            let reason = together([reason.as_deref(), lost, note(kind)]);
            let run = run::Model { exit_code: exit_code.or(run.exit_code), reason, ..run };
            change(app, run, event, now, lines.lines).await?;
            quiet(&name, patient(runner.remove(&name)).await);
        }
    }
    Ok(())
}

/// What a reader of the run should know of how it ran.
fn note(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Docker => None,
        Kind::Process => Some("it ran as a plain process: the image and the limits were not used"),
    }
}

fn together(reasons: [Option<&str>; 3]) -> Option<String> {
    let text = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

fn observed(progress: Progress) -> Observed {
    match progress {
        Progress::Starting => Observed::Starting,
        Progress::Running => Observed::Running,
        Progress::Exited { exit_code, reason } => Observed::Exited { exit_code, reason },
        Progress::CannotStart { reason } => Observed::CannotStart { reason },
        Progress::Lost => Observed::Lost,
        Progress::Unknown => Observed::Unknown,
    }
}

fn facts(app: &App, run: &run::Model) -> Facts {
    Facts {
        attempt: run.attempt,
        max_nb_restart: run.spec.max_nb_restart,
        max_duration_seconds: run.spec.max_duration_seconds,
        ready_at: run.not_before,
        start_timeout: TimeDelta::seconds(app.config.start_timeout_seconds.into()),
        started_at: run.started_at,
        attempt_started: run.attempt_started_at.is_some(),
        cancel_requested: run.cancel_requested_at.is_some(),
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
        ..run
    }
}

async fn begin(app: &App, runner: &dyn Runner, kind: Kind, run: run::Model, now: DateTime<Utc>) -> Result<()> {
    let spec: StepSpec = match step(app, &run).await? {
        Ok(spec) => spec,
        Err(impossible) => {
            let ended = run::Model { reason: Some(impossible.0), ..run };
            return change(app, ended, RunEvent::Failed, now, Vec::new()).await.map(|_| ());
        }
    };
    let column = match kind {
        Kind::Docker => RunnerKind::Docker,
        Kind::Process => RunnerKind::Process,
    };
    // Before the start, so that a server that takes over asks the same runner.
    store::run::set_runner(&app.db, run.id, column).await?;
    quiet(&spec.name, patient(runner.start(&spec)).await);
    app.wake.now();
    Ok(())
}

async fn copy(runner: &dyn Runner, run: &run::Model, name: &str, observed: &Observed) -> Result<Lines, Unavailable> {
    if !matches!(observed, Observed::Running | Observed::Exited { .. }) {
        return Ok(Lines { lines: Vec::new(), end: true });
    }
    let skip = u64::try_from(run.attempt_lines).unwrap_or(0);
    let copied = patient(runner.logs(name, skip, CHUNK)).await;
    if let Err(Unavailable(reason)) = &copied {
        tracing::warn!(run = %run.id, reason, "the log could not be read");
    }
    copied
}

async fn keep(app: &App, run: run::Model, changed: bool, lines: Lines, now: DateTime<Utc>) -> Result<()> {
    if !changed && lines.lines.is_empty() {
        return Ok(());
    }
    store::write(&app.db, async |tx| {
        let expected = Expected { state: RunState::Running, owner: run.lease_owner };
        let (run, rows) = with_lines(run, lines.lines);
        // The run first: when it is no longer ours the lines are not stored twice.
        if store::run::advance(tx, expected, run::Model { updated_at: now, finished_at: None, ..run }).await? {
            store::log::append(tx, rows).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// Stores what an event makes of a run, and its last lines.
async fn change(
    app: &App,
    run: run::Model,
    event: RunEvent,
    now: DateTime<Utc>,
    lines: Vec<runner::Line>,
) -> Result<bool> {
    let from = run.state;
    let to = state::next(from, event)
        .ok_or_else(|| Error::internal(format!("{event:?} cannot happen to a run that is {from:?}")))?;
    let expected = Expected { state: from, owner: run.lease_owner };
    let changed = store::write(&app.db, async |tx| {
        let (mut run, rows) = with_lines(run, lines);
        run.state = to;
        run.updated_at = now;
        run.finished_at = to.is_final().then(|| run.finished_at.unwrap_or(now));
        (run.lease_owner, run.lease_until) = (None, None);
        if event == RunEvent::Retried {
            run.attempt_lines = 0;
        }
        let changed = store::run::advance(tx, expected, run).await?;
        if changed {
            store::log::append(tx, rows).await?;
        }
        Ok::<_, Error>(changed)
    })
    .await?;
    if to.is_final() {
        // A deployment may wait for it.
        app.wake.now();
    }
    Ok(changed)
}

fn with_lines(mut run: run::Model, lines: Vec<runner::Line>) -> (run::Model, Vec<log_line::Model>) {
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let rows = lines
        .into_iter()
        .zip(run.total_lines + 1..)
        .map(|(line, position)| log_line::Model {
            run_id: run.id,
            position,
            at: line.at,
            stream: match line.stream {
                runner::Stream::Stdout => LogStream::Stdout,
                runner::Stream::Stderr => LogStream::Stderr,
            },
            // PostgreSQL keeps no NUL in text.
            text: line.text.replace('\0', "\u{fffd}"),
        })
        .collect();
    run.attempt_lines += count;
    run.total_lines += count;
    (run, rows)
}

async fn patient<T>(call: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(result) => result,
        Err(_) => Err(Unavailable("the runner did not answer in time".into())),
    }
}

/// A call whose failure the next tick repairs.
fn quiet(step: &str, result: Result<(), Unavailable>) {
    if let Err(Unavailable(reason)) = result {
        tracing::warn!(step, reason, "a call of a runner failed; it is tried again");
    }
}
