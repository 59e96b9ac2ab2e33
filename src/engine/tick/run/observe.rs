//! The pass over running runs: polls the step of each run, copies its log, and carries out the decision of the state machine.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::run;
use entity::run::RunState;
use futures_util::StreamExt as _;

use super::act::{act, store_progress};
use super::end::waits_for_results;
use super::facts::facts;
use super::gather::{CONCURRENCY, Gathered, PASS, gather, glance_at};
use super::lease::renew_if_late;
use super::log_copy::{CHUNK, copy};
use super::observed::{Brings, Observation, Unstored, name_of};
use super::outcome::{RunEnd, change};
use super::place::{kind_of, subject_of};
use crate::app::App;
use crate::engine::run::{Decision, RunEvent, decide};
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{Verdict, Wish, reason, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::visits::{QuietStep, Scope, Visit};
use crate::liveness::wake::Calls;
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::runner::{Lines, Runner, StepState, Target, Unavailable};

/// Observes the running runs of this server that have to be visited. A run that fails does not affect the others; it is tried again
/// after a pause.
pub(in crate::engine::tick) async fn run_once(
    app: &App,
    scope: Scope,
    claimed: Vec<run::Model>,
    now: DateTime<Utc>,
) -> Result<bool> {
    renew_if_late(app).await?;
    let Gathered { mut visits, glances } = gather(app, (scope, Calls::ALL), claimed, now).await?;
    if glance_at(app, glances, now).await {
        let moved = gather(app, (Scope::News, Calls::default()), Vec::new(), now).await?;
        visits.extend(moved.visits);
    }
    let results: Vec<bool> = futures_util::stream::iter(visits.into_iter().map(|visit| make(app, visit, now)))
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    Ok(results.contains(&true))
}

/// Makes the visit of one run. Returns true if it is to be visited again at once.
pub(super) async fn make(app: &App, (run, visit): (run::Model, Visit), now: DateTime<Utc>) -> bool {
    let again = try_observe(app, run, now).await;
    drop(visit);
    again
}

/// Observes one run. If it keeps failing, it is observed without copying its log and its results, so that its limits, its
/// cancellation and its end do not depend on what it brought; if even that fails, it is given up.
async fn try_observe(app: &App, run: run::Model, now: DateTime<Utc>) -> bool {
    let id = run.id;
    let wish = if run.cancel_requested_at.is_some() || is_late(&run, now) { Wish::End } else { Wish::Process };
    if wish == Wish::Process && app.setbacks.is_paused(PASS, &id.to_string(), now) {
        return false;
    }
    // Boxed, because it is large and is moved several times.
    let error = match Box::pin(observe_one(app, run.clone(), &Brings::All, now)).await {
        Ok(next) => {
            succeeded(app, PASS, id);
            match next {
                Next::More => {
                    app.visits.visit([id]);
                    return true;
                }
                Next::Look => {}
                Next::Quiet(step) => app.visits.quiet(id, step),
            }
            return false;
        }
        Err(error) => error,
    };
    let verdict = report(app, (PASS, "run"), id, &error, wish, now);
    if verdict == Verdict::Retry || matches!(error, Error::Unavailable { .. }) {
        return false;
    }
    let nothing = Brings::Nothing(error.reason());
    if let Err(error) = Box::pin(observe_one(app, run.clone(), &nothing, now)).await
        && verdict == Verdict::GiveUp
    {
        let (state, reason) = match run.cancel_requested_at {
            Some(_) => (RunState::Cancelled, "the run was cancelled".to_owned()),
            None => (RunState::Failed, reason("the run", &error)),
        };
        // Only the server that stored the end of a step may remove it.
        if give_up::run(app, id, (state, reason), now).await
            && let Ok(Ok(kind)) = kind_of(app, &run, None).await
        {
            let name = name_of(&run);
            log_failure(&name, with_time_limit(app.runners.get(kind).remove(&name)).await);
        }
    }
    false
}

fn is_late(run: &run::Model, now: DateTime<Utc>) -> bool {
    ends_at(run).is_some_and(|at| at <= now)
}

/// When a run reaches its time limit.
fn ends_at(run: &run::Model) -> Option<DateTime<Utc>> {
    let limit = TimeDelta::seconds(run.spec.max_duration_seconds.into());
    run.started_at.filter(|_| run.spec.max_duration_seconds > 0).map(|at| at + limit)
}

/// When a run that was observed is visited again.
enum Next {
    /// At once: more of its log is waiting to be copied.
    More,
    /// By the next look.
    Look,
    /// When something happens to it.
    Quiet(QuietStep),
}

/// Observes one run and acts on it.
async fn observe_one(app: &App, run: run::Model, brings: &Brings, now: DateTime<Utc>) -> Result<Next> {
    let subject = subject_of(app, &run).await?;
    let kind = match kind_of(app, &run, subject.as_deref()).await? {
        Ok(kind) => kind,
        Err(reason) => {
            let event = if run.cancel_requested_at.is_some() { RunEvent::Cancelled } else { RunEvent::Failed };
            let ended = run::Model { reason: Some(reason), ..run };
            change(app, ended, event, now, RunEnd::default()).await?;
            return Ok(Next::Look);
        }
    };
    let runner = app.runners.get(kind);
    let runner = runner.as_ref();
    let name = name_of(&run);
    app.visits.named(run.id, &name);
    let observed = ask(runner, &run, &name).await;
    if observed.is_ok() {
        app.visits.seen(run.id, now);
    }
    let copied = match brings {
        Brings::All => copy(runner, &run, &name, &observed).await,
        Brings::Nothing(_) => Ok(Lines { lines: Vec::new(), end: true }),
    };
    let ended =
        matches!(observed, Ok(StepState::Exited { .. } | StepState::Failed { .. } | StepState::CannotStart { .. }));
    let began = matches!(observed, Ok(StepState::Running | StepState::Exited { .. } | StepState::Failed { .. }));
    let runs = matches!(observed, Ok(StepState::Running));
    let touched = began && (run.attempt_started_at.is_none() || (runs && run.reason.is_some()));
    // Why an earlier attempt failed, or why the runner did not answer for a while, is over.
    let run = if runs { run::Model { reason: None, ..run } } else { run };
    let run = if began || ended { with_times(run, runner, &name, (began, ended), now).await } else { run };
    let (lines, log_problem) = match copied {
        Ok(lines) => (lines, None),
        // An ended run waits for its log, but only for a while.
        Err(_) if ended && waits_for_results(app, &run, now).await? => return Ok(Next::Look),
        Err(_) => (Lines { lines: Vec::new(), end: true }, ended.then_some("the end of the log could not be read")),
    };
    if ended && !lines.end {
        store_progress(app, (runner, &name), Unstored { run, lines, touched }, now).await?;
        return Ok(Next::More);
    }
    let next = match quiet(&run, &name, kind) {
        _ if lines.is_full(CHUNK) => Next::More,
        Some(step) if runs && !touched && lines.lines.is_empty() && *brings == Brings::All => Next::Quiet(step),
        _ => Next::Look,
    };
    let decision = decide(&facts(app, &run, kind), observed, now);
    let next = if decision == Decision::Wait || matches!(next, Next::More) { next } else { Next::Look };
    let unstored = Unstored { run, lines, touched };
    act(app, Observation { runner, kind, subject, name, unstored, log_problem, brings }, decision, now).await?;
    Ok(next)
}

/// The step of a run, as long as it runs and nothing else is known to happen.
fn quiet(run: &run::Model, name: &str, kind: Target) -> Option<QuietStep> {
    let until = if matches!(kind, Target::Kubernetes(_)) { None } else { ends_at(run) };
    let lines = u64::try_from(run.attempt_lines).unwrap_or(0);
    Some(QuietStep { name: name.to_owned(), runner: run.runner?, place: run.place.clone()?, lines, until })
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

/// Sets when the attempt began and ended: by the runner's clock if that is known, but never after `now`. A step that was never
/// started can still have had attempts, if its runner repeats them.
async fn with_times(
    run: run::Model,
    runner: &dyn Runner,
    name: &str,
    (began, ended): (bool, bool),
    now: DateTime<Utc>,
) -> run::Model {
    if run.attempt_started_at.is_some() && !ended {
        return run;
    }
    let times = with_time_limit(runner.times(name)).await.unwrap_or_default();
    let microseconds = |time: DateTime<Utc>| time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time).min(now);
    let began = began.then(|| times.started_at.map_or(now, microseconds));
    let attempt_started_at = run.attempt_started_at.or(began);
    // An engine may note the start of a short step after its end.
    let finished_at =
        times.finished_at.map(microseconds).max(attempt_started_at.filter(|_| times.finished_at.is_some()));
    run::Model {
        started_at: run.started_at.or(began),
        attempt_started_at,
        finished_at: finished_at.filter(|_| ended),
        attempt: if run.step.is_some() { times.attempts.unwrap_or(run.attempt).max(run.attempt) } else { run.attempt },
        ..run
    }
}
