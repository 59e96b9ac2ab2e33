//! The passes that hand queued runs to a runner and look after running ones until they have ended.

use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::cluster::ClusterKind;
use entity::run;
use entity::run::{Event, RunState, RunnerKind};
use futures_util::StreamExt as _;

use super::BATCH;
use super::log::{CHUNK, copy, sealed, with_lines};
use super::outcome::{Brought, change, leaves_outputs};
use super::step::{Prepared, run_of, step, step_name};
use super::{clusters as clusters_pass, workspace_step, workspaces};
use crate::app::App;
use crate::engine::keeper::repeats_by_kubernetes;
use crate::engine::outputs;
use crate::engine::state::{self, Decision, Facts, Observed, RunEvent};
use crate::error::{Error, Result};
use crate::runner::kubernetes::{APPLIED_FILE, clusters};
use crate::runner::{Kind, Lines, OUTPUT_BYTES, OUTPUT_FILE, Progress, Runner, Unavailable};
use crate::store;
use crate::store::run::{Expected, Handover, Lease, Orphans};

/// How long a server's runs are its own after it was last heard of.
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// For one call of a runner.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an ended run waits for a log that cannot be read.
const LOG_PATIENCE: TimeDelta = TimeDelta::minutes(2);
/// How often a run that goes on without a word is noted as seen.
const HEARTBEAT: TimeDelta = TimeDelta::seconds(30);
/// The most runs of other servers that one pass takes over, beside its own.
const ORPHANS: u64 = 1000;
/// How many runs are looked after at the same time.
const AT_ONCE: usize = 16;

pub(super) async fn cancel_queued(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let rows = store::run::list_queued_to_cancel(&app.db, BATCH).await?;
    let more = rows.len() as u64 == BATCH;
    for row in rows {
        let ended = run::Model { reason: Some("it was cancelled before it started".into()), ..row };
        change(app, ended, RunEvent::Cancelled, now, Brought::default()).await?;
    }
    let patience = TimeDelta::seconds(app.config.queue_timeout_seconds.into());
    for row in store::run::list_queued_since(&app.db, now - patience, BATCH).await? {
        let reason = format!("it found no place to run in {} seconds", patience.num_seconds());
        let ended = run::Model { reason: Some(reason), ..row };
        change(app, ended, RunEvent::Expired, now, Brought::default()).await?;
    }
    Ok(more)
}

pub(super) async fn claim(app: &App, now: DateTime<Utc>) -> Result<bool> {
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

pub(super) fn lease(app: &App, now: DateTime<Utc>) -> Lease {
    Lease { owner: app.instance, until: now + LEASE }
}

/// Keeps this server's runs its own, also while a pass waits for a runner.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn renew(app: &App, now: DateTime<Utc>) -> Result<()> {
    let lease = lease(app, now);
    store::run::renew(&app.db, lease).await?;
    app.fence.renewed(now, lease.until);
    Ok(())
}

pub(super) async fn observe(app: &App, now: DateTime<Utc>) -> Result<bool> {
    renew(app, now).await?;
    let mut places = Vec::new();
    for kind in [Kind::Docker, Kind::Process] {
        // An engine that does not answer is asked for none of the runs that it has.
        places.extend(patient(app.runners.get(kind).place()).await.ok());
    }
    // Clusters are the same for all servers.
    places.extend(app.runners.clusters.all().into_iter().map(|(id, _)| clusters::place(id)));
    let forlorn_before = now - TimeDelta::seconds(app.config.lost_timeout_seconds.into());
    let orphans = Orphans { places, forlorn_before };
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

/// Ends what runs that have ended left on the runners: a server can be killed between the two.
pub async fn sweep(app: &App) {
    let clusters = app.runners.clusters.all().into_iter().map(|(id, _)| Kind::Kubernetes(id));
    for kind in [Kind::Docker, Kind::Process].into_iter().chain(clusters) {
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
        let over = run.is_some_and(|run| run.state.is_final() || name_of(run) != name);
        if over {
            patient(runner.remove(&name)).await.map_err(|e| Error::internal(e.0))?;
        }
    }
    Ok(())
}

/// Asks the runner about one run, copies what it wrote, and acts. True when more is to be copied.
async fn look_after(app: &App, run: run::Model, now: DateTime<Utc>) -> Result<bool> {
    let kind = match kind_of(app, &run).await? {
        Ok(kind) => kind,
        Err(refused) => {
            let ended = run::Model { reason: Some(refused), ..run };
            change(app, ended, RunEvent::Failed, now, Brought::default()).await?;
            return Ok(false);
        }
    };
    let runner = app.runners.get(kind);
    let runner = runner.as_ref();
    let name = name_of(&run);
    let observed = ask(runner, &run, &name).await;
    let copied = copy(runner, &run, &name, &observed).await;
    let ended = matches!(observed, Observed::Exited { .. } | Observed::Failed { .. } | Observed::CannotStart { .. });
    let began = matches!(observed, Observed::Running | Observed::Exited { .. } | Observed::Failed { .. });
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
        keep(app, Kept { run, lines, news }, now).await?;
        return Ok(true);
    }
    let more = lines.lines.len() >= CHUNK;
    let decision = state::decide(&facts(app, &run, kind), observed, now);
    act(app, Seen { runner, kind, name, kept: Kept { run, lines, news }, lost }, decision, now).await?;
    Ok(more)
}

/// The name of a run on its runner.
fn name_of(run: &run::Model) -> String {
    run.step.clone().unwrap_or_else(|| step_name(run.id, run.attempt))
}

/// The runner that a run is on, or is to be started on.
///
/// # Errors
/// Within: why it can be executed nowhere.
async fn kind_of(app: &App, run: &run::Model) -> Result<std::result::Result<Kind, String>> {
    match run.runner {
        Some(RunnerKind::Docker) => return Ok(Ok(Kind::Docker)),
        Some(RunnerKind::Process) => return Ok(Ok(Kind::Process)),
        Some(RunnerKind::Kubernetes) => {
            if let Some(id) = run.place.as_deref().and_then(clusters::cluster_of) {
                return Ok(Ok(Kind::Kubernetes(id)));
            }
        }
        None => {}
    }
    match (run.event, run.job_id) {
        (Event::Workspace, _) => workspace_step::place(app, run).await,
        // Images are built where the server is.
        (Event::Build, _) | (_, None) => Ok(app.runners.local.clone()),
        (_, Some(job)) => Ok(match store::cluster_objects::cluster_of_job(&app.db, job).await? {
            Some((id, ClusterKind::Kubernetes)) => Ok(Kind::Kubernetes(id)),
            Some((_, ClusterKind::Local)) | None => app.runners.local.clone(),
        }),
    }
}

/// What the runner says of a run; one that another engine has can only be told lost.
async fn ask(runner: &dyn Runner, run: &run::Model, name: &str) -> Observed {
    if let Some(place) = &run.place {
        match patient(runner.place()).await {
            Ok(here) if here == *place => {}
            Ok(_) => return Observed::Lost,
            Err(Unavailable(reason)) => return Observed::Silent { reason },
        }
    }
    match patient(runner.poll(name)).await {
        Ok(progress) => observed(progress),
        Err(Unavailable(reason)) => Observed::Silent { reason },
    }
}

/// What was seen of a run.
struct Seen<'a> {
    runner: &'a dyn Runner,
    kind: Kind,
    name: String,
    kept: Kept,
    /// Why the log is not whole.
    lost: Option<&'static str>,
}

/// A run with what it wrote.
struct Kept {
    run: run::Model,
    lines: Lines,
    /// Whether it is to be stored although it wrote nothing.
    news: bool,
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
            let Seen { runner, name, kept: Kept { run, lines, .. }, .. } = seen;
            let attempt = run.attempt + 1;
            let again = run::Model {
                attempt,
                not_before,
                exit_code: Some(exit_code),
                attempt_started_at: None,
                stop_asked_at: None,
                ..run
            };
            let brought = Brought { lines: lines.lines, ..Brought::default() };
            // Only whoever has stored what a step left may take it away.
            if change(app, again, RunEvent::Retried, now, brought).await? {
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

/// Ends a run, with what it left.
#[tracing::instrument(name = "end a run", skip_all, fields(run = %seen.kept.run.id, event = ?event))]
async fn end(
    app: &App,
    seen: Seen<'_>,
    (event, exit_code, reason): (RunEvent, Option<i32>, Option<String>),
    now: DateTime<Utc>,
) -> Result<()> {
    let Seen { runner, kind, name, kept: Kept { run, lines, .. }, lost } = seen;
    let mut brought = Brought { lines: lines.lines, ..Brought::default() };
    let mut spoiled = None;
    let leaves = leaves_outputs(run.event) || run.event == Event::Build;
    if run.event == Event::Workspace && event == RunEvent::Succeeded {
        match workspaces::left(runner, &name).await {
            // It is asked again, but not for good.
            Err(_) if now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(()),
            Err(Unavailable(reason)) => spoiled = Some(format!("what it left could not be read: {reason}")),
            Ok(left) => brought.left = Some(left),
        }
    }
    if run.event == Event::Apply && event == RunEvent::Succeeded {
        match patient(runner.output(&name, APPLIED_FILE, OUTPUT_BYTES)).await {
            Err(_) if now - run.updated_at < LOG_PATIENCE => return Ok(()),
            Err(_) => {}
            Ok(content) => brought.applied = content.and_then(|content| clusters_pass::applied(&name, &content)),
        }
    }
    if event == RunEvent::Succeeded && leaves {
        let most = runner.most_output();
        match patient(runner.output(&name, OUTPUT_FILE, most)).await {
            // It is asked again, but not for good.
            Err(_) if now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(()),
            Err(_) => spoiled = Some("its outputs could not be read".to_owned()),
            Ok(None) => {}
            Ok(Some(content)) if run.event == Event::Build => brought.built = serde_json::from_slice(&content).ok(),
            Ok(Some(content)) => match outputs::parse(&content, most) {
                Ok(outputs) => brought.outputs = outputs,
                Err(reason) => spoiled = Some(reason),
            },
        }
    }
    let reason = together([reason.as_deref(), lost, spoiled.as_deref(), note(kind, &run)]);
    let run = run::Model { exit_code: exit_code.or(run.exit_code), reason, ..run };
    // Only whoever has stored what a step left may take it away.
    if change(app, run, event, now, brought).await? {
        quiet(&name, patient(runner.remove(&name)).await);
    }
    Ok(())
}

/// What a reader of the run should know of how it ran.
fn note(kind: Kind, run: &run::Model) -> Option<&'static str> {
    match kind {
        Kind::Docker | Kind::Kubernetes(_) => None,
        Kind::Process if matches!(run.event, Event::Build | Event::Workspace) => None,
        Kind::Process => Some("it ran as a plain process: the image and the limits were not used"),
    }
}

fn together(reasons: [Option<&str>; 4]) -> Option<String> {
    let text = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

fn observed(progress: Progress) -> Observed {
    match progress {
        Progress::Starting { reason } => Observed::Starting { reason },
        Progress::Running => Observed::Running,
        Progress::Exited { exit_code, reason } => Observed::Exited { exit_code, reason },
        Progress::Failed { exit_code, reason } => Observed::Failed { exit_code, reason },
        Progress::CannotStart { reason } => Observed::CannotStart { reason },
        Progress::Lost => Observed::Lost,
        Progress::Unknown => Observed::Unknown,
    }
}

fn facts(app: &App, run: &run::Model, kind: Kind) -> Facts {
    let cluster = matches!(kind, Kind::Kubernetes(_));
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

#[tracing::instrument(name = "start a run", skip_all, fields(run = %run.id, attempt = run.attempt))]
async fn begin(app: &App, runner: &dyn Runner, kind: Kind, run: run::Model, now: DateTime<Utc>) -> Result<()> {
    if let Some(late) = too_late(&run, now) {
        let ended = run::Model { reason: Some(late), ..run };
        return change(app, ended, RunEvent::Cancelled, now, Brought::default()).await.map(|_| ());
    }
    let prepared = match run.event {
        Event::Workspace => workspace_step::step(app, &run, kind).await?,
        Event::Cron | Event::Start | Event::Stop | Event::Delete | Event::Build | Event::Apply => {
            step(app, &run, kind, now).await?
        }
    };
    let Prepared { step: spec, masks } = match prepared {
        Ok(prepared) => prepared,
        Err(impossible) => {
            let ended = run::Model { reason: Some(impossible.0), ..run };
            return change(app, ended, RunEvent::Failed, now, Brought::default()).await.map(|_| ());
        }
    };
    let place = match patient(runner.place()).await {
        Ok(place) => place,
        Err(Unavailable(reason)) => {
            tracing::warn!(run = %run.id, reason, "the engine does not answer; the run is started later");
            return Ok(());
        }
    };
    let column = match kind {
        Kind::Docker => RunnerKind::Docker,
        Kind::Process => RunnerKind::Process,
        Kind::Kubernetes(_) => RunnerKind::Kubernetes,
    };
    let step = matches!(kind, Kind::Kubernetes(_)).then(|| spec.name.clone());
    let to = Handover { runner: column, place, masks: sealed(app, &run, &masks)?, step };
    // Before the start, so that a server that takes over asks the same engine; and only while it is ours.
    if store::run::hand_over(&app.db, run.id, run.lease_owner, to).await? {
        if run.event == Event::Workspace {
            store::write(&app.db, async |tx| store::workspace::began(tx, run.id, now).await.map_err(Error::from))
                .await?;
        }
        quiet(&spec.name, patient(runner.start(&spec)).await);
        app.wake.here();
    }
    Ok(())
}

/// Why a time of a schedule is not started any more.
fn too_late(run: &run::Model, now: DateTime<Utc>) -> Option<String> {
    let deadline = TimeDelta::seconds(run.spec.starting_deadline_seconds?.into());
    let late = run.attempt == 1 && run.place.is_none() && run.scheduled_for? + deadline < now;
    late.then(|| format!("it found no place to run in the {} seconds of its starting deadline", deadline.num_seconds()))
}

/// Stores what is new of a run that goes on, and now and then that it was seen.
async fn keep(app: &App, kept: Kept, now: DateTime<Utc>) -> Result<()> {
    let Kept { run, lines, news } = kept;
    if lines.lines.is_empty() && !news {
        return Ok(());
    }
    let expected = Expected { state: RunState::Running, owner: run.lease_owner };
    let stored = lines.lines.len() as u64;
    let (run, pieces) = with_lines(app, run, lines.lines)?;
    store::write(&app.db, async |tx| {
        // The run first: when it is no longer ours the lines are not stored twice.
        if store::run::advance(tx, expected, run::Model { updated_at: now, finished_at: None, ..run }).await? {
            store::log::append(tx, pieces).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    app.metrics.lines_stored(stored);
    Ok(())
}

pub(super) async fn patient<T>(call: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
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
