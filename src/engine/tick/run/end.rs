//! Ends a run: reads the results of its step, stores the outcome, and removes the step.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::Event;

use super::observed::{Brings, Observation, Unstored};
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::cluster::record as cluster_record;
use crate::engine::outputs::{self, Outputs, leaves_outputs};
use crate::engine::run::RunEvent;
use crate::engine::tick::workspace::step_result::{self, NoResult};
use crate::error::{Error, Result};
use crate::runner::kubernetes::APPLIED_FILE;
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::runner::{OUTPUT_BYTES, OUTPUT_FILE, OutputError, Runner, Target};
use crate::store;

/// How long an ended run waits while its log or an output cannot be read.
const LOG_PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// Whether an ended run still waits for its log and its results, counted from when its end was first seen: its runner may have
/// been away when it ended.
pub(super) async fn waits_for_results(app: &App, run: &run::Model, now: DateTime<Utc>) -> Result<bool> {
    match run.end_seen_at {
        Some(since) => Ok(now < since + LOG_PATIENCE),
        None => {
            store::write(&app.db, async |tx| {
                store::run::note_end_seen(tx, run.id, run.lease_owner, now).await.map_err(Error::from)
            })
            .await
        }
    }
}

/// Ends a run with the event that the state machine decided.
#[tracing::instrument(name = "run.end", skip_all, fields(run = %seen.unstored.run.id, event = ?event))]
pub(super) async fn end(
    app: &App,
    seen: Observation<'_>,
    (mut event, exit_code, reason): (RunEvent, Option<i32>, Option<String>),
    now: DateTime<Utc>,
) -> Result<()> {
    let Observation { runner, kind, name, unstored: Unstored { run, lines, .. }, log_problem, brings, .. } = seen;
    let mut run_end = RunEnd { lines: lines.lines, ..RunEnd::default() };
    let mut output_problem = None;
    if let Brings::Nothing(why) = brings {
        output_problem = Some(format!("the log and the results of the run could not be stored: {why}"));
        if event == RunEvent::Succeeded && needs_results(run.event) {
            event = RunEvent::Failed;
        }
    } else if event == RunEvent::Succeeded {
        match read_result(app, runner, &name, &run, &mut run_end).await {
            Ok(()) => {}
            Err(missing) if missing.may_come && waits_for_results(app, &run, now).await? => return Ok(()),
            Err(missing) => {
                if missing.fails_step {
                    event = RunEvent::Failed;
                }
                output_problem = missing.problem;
            }
        }
    }
    let reason = joined([reason.as_deref(), log_problem, output_problem.as_deref(), note(kind, &run)]);
    // An attempt that was given up may still be about to start; one that was lost may be running, and is left alone.
    let stopping_at = run.stopping_at.or((event != RunEvent::Lost).then_some(now));
    let run = run::Model { exit_code: exit_code.or(run.exit_code), reason, stopping_at, ..run };
    // Only the server that stored the results of a step may remove the step.
    if change(app, run, event, now, run_end).await? {
        log_failure(&name, with_time_limit(runner.remove(&name)).await);
    }
    Ok(())
}

/// Why the results of a step were not read.
struct Missing {
    problem: Option<String>,
    /// The runner does not answer; the next tick tries again.
    may_come: bool,
    /// The step has failed without them, although it exited successfully.
    fails_step: bool,
}

impl Missing {
    fn unread(problem: Option<String>) -> Self {
        Self { problem, may_come: true, fails_step: false }
    }

    fn refused(problem: String) -> Self {
        Self { problem: Some(problem), may_come: false, fails_step: false }
    }
}

/// Reads the results of a successful step: the result of a workspace step, the applied CronJob, the built image, or outputs.
async fn read_result(
    app: &App,
    runner: &dyn Runner,
    name: &str,
    run: &run::Model,
    run_end: &mut RunEnd,
) -> std::result::Result<(), Missing> {
    match run.event {
        Event::Workspace => match step_result::read_result(app, run, runner, name).await {
            Err(NoResult::Unread { reason, plans }) => {
                let text = format!("the result of the step could not be read: {reason}");
                return Err(Missing { fails_step: plans, ..Missing::unread(Some(text)) });
            }
            Err(NoResult::Refused(reason)) => {
                return Err(Missing::refused(format!("the result of the step could not be read: {reason}")));
            }
            Err(NoResult::NoPlan(reason)) => {
                return Err(Missing { problem: Some(reason), may_come: false, fails_step: true });
            }
            Ok(left) => run_end.left = Some(left),
        },
        Event::Apply => {
            // Without an answer nobody knows who schedules the job, Kubernetes or the server.
            let missing = |reason: String, may_come| Missing {
                problem: Some(format!("the applied CronJob could not be read back: {reason}")),
                may_come,
                fails_step: true,
            };
            let content = runner.output(name, APPLIED_FILE, OUTPUT_BYTES);
            let content = with_time_limit(content).await.map_err(|error| match error {
                OutputError::Unavailable(reason) => missing(reason, true),
                OutputError::Refused(reason) => missing(reason, false),
            })?;
            let invalid = || missing("its version is not valid".into(), false);
            let read = |content: Vec<u8>| cluster_record::applied(name, &content).ok_or_else(invalid);
            run_end.applied = content.map(read).transpose()?;
        }
        Event::Build | Event::Start | Event::Stop | Event::Delete | Event::Cron => {
            if run.event != Event::Build && !leaves_outputs(run.event) {
                return Ok(());
            }
            let limit = runner.most_output();
            let content = match with_time_limit(runner.output(name, OUTPUT_FILE, limit)).await {
                Ok(content) => content,
                Err(OutputError::Unavailable(reason)) => {
                    return Err(Missing::unread(Some(format!("the outputs could not be read: {reason}"))));
                }
                Err(OutputError::Refused(reason)) => {
                    return Err(Missing::refused(format!("the outputs were refused: {reason}")));
                }
            };
            match content {
                None => {}
                Some(content) if run.event == Event::Build => run_end.built = serde_json::from_slice(&content).ok(),
                Some(content) => {
                    let mut found = outputs::parse(&content, limit).map_err(Missing::refused)?;
                    confine(app, run, &mut found).await.map_err(|error| {
                        Missing::unread(Some(format!("the outputs could not be checked: {}", error.reason())))
                    })?;
                    let problem = found.problem();
                    run_end.outputs = found.outputs;
                    problem.map_or(Ok(()), |problem| Err(Missing::refused(problem)))?;
                }
            }
        }
    }
    Ok(())
}

/// Refuses the outputs for which the environment of the job has no room.
async fn confine(app: &App, run: &run::Model, found: &mut Outputs) -> Result<()> {
    let Some(job) = run.job_id.filter(|_| !found.outputs.is_empty()) else { return Ok(()) };
    let Some(job) = store::job::by_id(&app.db, job).await? else { return Ok(()) };
    let known = store::variable::output_keys(&app.db, job.environment_id).await?;
    found.confine(job.id.0, &known);
    Ok(())
}

/// Whether a run is useless without its results: what follows it needs them.
fn needs_results(event: Event) -> bool {
    match event {
        Event::Build | Event::Workspace | Event::Apply => true,
        Event::Cron | Event::Start | Event::Stop | Event::Delete => false,
    }
}

/// A note for users about how the run was executed.
fn note(kind: Target, run: &run::Model) -> Option<&'static str> {
    match kind {
        Target::Docker | Target::Kubernetes(_) | Target::Agent(_) => None,
        Target::Process if matches!(run.event, Event::Build | Event::Workspace) => None,
        Target::Process => Some("ran as a plain process: the image and the limits were not used"),
    }
}

fn joined(reasons: [Option<&str>; 4]) -> Option<String> {
    let text = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}
