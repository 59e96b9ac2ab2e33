//! Ends a run: reads what its step left, stores the end, and removes the step.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::Event;

use super::observed::{Seen, Unstored};
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::cluster::record as cluster_record;
use crate::engine::outputs;
use crate::engine::outputs::leaves_outputs;
use crate::engine::run::decide::RunEvent;
use crate::engine::tick::workspace::left;
use crate::error::Result;
use crate::runner::kubernetes::APPLIED_FILE;
use crate::runner::patience::{patient, quiet};
use crate::runner::{OUTPUT_BYTES, OUTPUT_FILE, Target, Unavailable};

/// How long an ended run waits for a log that cannot be read.
pub(super) const LOG_PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// Ends a run, with what it left.
#[tracing::instrument(name = "end a run", skip_all, fields(run = %seen.kept.run.id, event = ?event))]
pub(super) async fn end(
    app: &App,
    seen: Seen<'_>,
    (event, exit_code, reason): (RunEvent, Option<i32>, Option<String>),
    now: DateTime<Utc>,
) -> Result<()> {
    let Seen { runner, kind, name, kept: Unstored { run, lines, .. }, lost } = seen;
    let mut run_end = RunEnd { lines: lines.lines, ..RunEnd::default() };
    let mut spoiled = None;
    let leaves = leaves_outputs(run.event) || run.event == Event::Build;
    if run.event == Event::Workspace && event == RunEvent::Succeeded {
        match left::left(runner, &name).await {
            // It is asked again, but not for good.
            Err(_) if now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(()),
            Err(Unavailable(reason)) => spoiled = Some(format!("what it left could not be read: {reason}")),
            Ok(left) => run_end.left = Some(left),
        }
    }
    if run.event == Event::Apply && event == RunEvent::Succeeded {
        match patient(runner.output(&name, APPLIED_FILE, OUTPUT_BYTES)).await {
            Err(_) if now - run.updated_at < LOG_PATIENCE => return Ok(()),
            Err(_) => {}
            Ok(content) => run_end.applied = content.and_then(|content| cluster_record::applied(&name, &content)),
        }
    }
    if event == RunEvent::Succeeded && leaves {
        let most = runner.most_output();
        match patient(runner.output(&name, OUTPUT_FILE, most)).await {
            // It is asked again, but not for good.
            Err(_) if now - run.finished_at.unwrap_or(run.updated_at) < LOG_PATIENCE => return Ok(()),
            Err(_) => spoiled = Some("its outputs could not be read".to_owned()),
            Ok(None) => {}
            Ok(Some(content)) if run.event == Event::Build => run_end.built = serde_json::from_slice(&content).ok(),
            Ok(Some(content)) => match outputs::parse(&content, most) {
                Ok(outputs) => run_end.outputs = outputs,
                Err(reason) => spoiled = Some(reason),
            },
        }
    }
    let reason = together([reason.as_deref(), lost, spoiled.as_deref(), note(kind, &run)]);
    let run = run::Model { exit_code: exit_code.or(run.exit_code), reason, ..run };
    // Only whoever has stored what a step left may take it away.
    if change(app, run, event, now, run_end).await? {
        quiet(&name, patient(runner.remove(&name)).await);
    }
    Ok(())
}

/// What a reader of the run should know of how it ran.
fn note(kind: Target, run: &run::Model) -> Option<&'static str> {
    match kind {
        Target::Docker | Target::Kubernetes(_) => None,
        Target::Process if matches!(run.event, Event::Build | Event::Workspace) => None,
        Target::Process => Some("it ran as a plain process: the image and the limits were not used"),
    }
}

fn together(reasons: [Option<&str>; 4]) -> Option<String> {
    let text = reasons.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}
