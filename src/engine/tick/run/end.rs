//! Ends a run: reads the results of its step, stores the outcome, and removes the step.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::Event;

use super::observed::{Observation, Unstored};
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::cluster::record as cluster_record;
use crate::engine::outputs;
use crate::engine::outputs::leaves_outputs;
use crate::engine::run::RunEvent;
use crate::engine::tick::workspace::step_result;
use crate::error::Result;
use crate::runner::kubernetes::APPLIED_FILE;
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::runner::{OUTPUT_BYTES, OUTPUT_FILE, OutputError, Runner, Target};

/// How long an ended run waits while its log or an output cannot be read.
pub(super) const LOG_PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// Ends a run with the event that the state machine decided.
#[tracing::instrument(name = "run.end", skip_all, fields(run = %seen.unstored.run.id, event = ?event))]
pub(super) async fn end(
    app: &App,
    seen: Observation<'_>,
    (event, exit_code, reason): (RunEvent, Option<i32>, Option<String>),
    now: DateTime<Utc>,
) -> Result<()> {
    let Observation { runner, kind, name, unstored: Unstored { run, lines, .. }, log_problem } = seen;
    let mut run_end = RunEnd { lines: lines.lines, ..RunEnd::default() };
    let mut output_problem = None;
    if event == RunEvent::Succeeded {
        match read_result(runner, &name, &run, now, &mut run_end).await {
            Read::All => {}
            Read::Later => return Ok(()),
            Read::Failed(problem) => output_problem = Some(problem),
        }
    }
    let reason = joined([reason.as_deref(), log_problem, output_problem.as_deref(), note(kind, &run)]);
    let run = run::Model { exit_code: exit_code.or(run.exit_code), reason, ..run };
    // Only the server that stored the results of a step may remove the step.
    if change(app, run, event, now, run_end).await? {
        log_failure(&name, with_time_limit(runner.remove(&name)).await);
    }
    Ok(())
}

/// The outcome of reading the results of a step.
enum Read {
    All,
    /// The runner does not answer; the next tick tries again.
    Later,
    /// Why something, or a part of it, could not be read; the run ends anyway.
    Failed(String),
}

/// Reads the results of a successful step: the result of a workspace step, the applied CronJob, the built image, or outputs.
async fn read_result(
    runner: &dyn Runner,
    name: &str,
    run: &run::Model,
    now: DateTime<Utc>,
    run_end: &mut RunEnd,
) -> Read {
    let patient_until = run.finished_at.unwrap_or(run.updated_at) + LOG_PATIENCE;
    match run.event {
        Event::Workspace => match step_result::read_result(runner, name).await {
            Err(OutputError::Unavailable(_)) if now < patient_until => Read::Later,
            Err(OutputError::Unavailable(reason) | OutputError::Refused(reason)) => {
                Read::Failed(format!("the result of the step could not be read: {reason}"))
            }
            Ok(left) => {
                run_end.left = Some(left);
                Read::All
            }
        },
        Event::Apply => match with_time_limit(runner.output(name, APPLIED_FILE, OUTPUT_BYTES)).await {
            Err(_) if now < run.updated_at + LOG_PATIENCE => Read::Later,
            Err(_) => Read::All,
            Ok(content) => {
                run_end.applied = content.and_then(|content| cluster_record::applied(name, &content));
                Read::All
            }
        },
        Event::Build | Event::Start | Event::Stop | Event::Delete | Event::Cron => {
            if run.event != Event::Build && !leaves_outputs(run.event) {
                return Read::All;
            }
            let limit = runner.most_output();
            match with_time_limit(runner.output(name, OUTPUT_FILE, limit)).await {
                Err(OutputError::Unavailable(_)) if now < patient_until => Read::Later,
                Err(OutputError::Unavailable(reason)) => {
                    Read::Failed(format!("the outputs could not be read: {reason}"))
                }
                Err(OutputError::Refused(reason)) => Read::Failed(format!("the outputs were refused: {reason}")),
                Ok(None) => Read::All,
                Ok(Some(content)) if run.event == Event::Build => {
                    run_end.built = serde_json::from_slice(&content).ok();
                    Read::All
                }
                Ok(Some(content)) => match outputs::parse(&content, limit) {
                    Ok(found) => {
                        let problem = found.problem();
                        run_end.outputs = found.outputs;
                        problem.map_or(Read::All, Read::Failed)
                    }
                    Err(reason) => Read::Failed(reason),
                },
            }
        }
    }
}

/// A note for users about how the run was executed.
fn note(kind: Target, run: &run::Model) -> Option<&'static str> {
    match kind {
        Target::Docker | Target::Kubernetes(_) => None,
        Target::Process if matches!(run.event, Event::Build | Event::Workspace) => None,
        Target::Process => Some("ran as a plain process: the image and the limits were not used"),
    }
}

fn joined(reasons: [Option<&str>; 4]) -> Option<String> {
    let text = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}
