//! The results of a workspace step: the outcome of its plan, its commit, and the plan itself.

use entity::run;

use super::plan_to_show::{PlanToShow, of_json};
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::error::Result;
use crate::runner::terraform::layout::{PLAN_BYTES, PLAN_FILE, PLAN_JSON_BYTES, PLAN_JSON_FILE, RESULT_FILE};
use crate::runner::time_limit::with_time_limit;
use crate::runner::{OUTPUT_BYTES, OutputError, Runner};

/// The result of a Terraform step.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(in crate::engine::tick) struct StepResult {
    /// Whether the plan has changes; only for steps that plan.
    #[serde(default)]
    pub(super) changes: Option<bool>,
    /// The commit that was checked out.
    #[serde(default)]
    pub(super) commit: Option<String>,
    #[serde(skip)]
    pub(in crate::engine::tick) plan: Option<Vec<u8>>,
    /// The plan as it is shown, if the step told it.
    #[serde(skip)]
    pub(super) shown: Option<PlanToShow>,
}

/// Why a step has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::tick) enum NoResult {
    /// It could not be read at the moment. A step that plans fails if that does not change.
    Unread { reason: String, plans: bool },
    /// What stands in its place cannot be read.
    Refused(String),
    /// The plan is unusable, so the step has failed: its apply would carry out something else.
    NoPlan(String),
}

/// Reads the result of a step from its runner.
pub(in crate::engine::tick) async fn read_result(
    app: &App,
    run: &run::Model,
    runner: &dyn Runner,
    name: &str,
) -> Result<StepResult, NoResult> {
    let of = WorkspaceSubject::load(app, run).await;
    let of = of.map_err(|error| NoResult::Unread { reason: error.public(), plans: true })?;
    let plans = of.as_ref().is_some_and(WorkspaceSubject::plans);
    let unread = |error| match error {
        OutputError::Unavailable(reason) => NoResult::Unread { reason, plans },
        OutputError::Refused(reason) if plans => NoResult::NoPlan(reason),
        OutputError::Refused(reason) => NoResult::Refused(reason),
    };
    let result = with_time_limit(runner.output(name, RESULT_FILE, OUTPUT_BYTES)).await.map_err(unread)?;
    let invalid =
        |error: serde_json::Error| unread(OutputError::Refused(format!("{RESULT_FILE} is not valid: {error}")));
    let read = |text: Vec<u8>| serde_json::from_slice(&text).map_err(invalid);
    let mut left: StepResult = result.map(read).transpose()?.unwrap_or_default();
    if !plans {
        return Ok(left);
    }
    left.plan = with_time_limit(runner.output(name, PLAN_FILE, PLAN_BYTES)).await.map_err(unread)?;
    left.shown = shown(app, run, runner, name).await;
    match &left.plan {
        Some(plan) if plan.len() as u64 > PLAN_BYTES => {
            let mib = PLAN_BYTES / 1024 / 1024;
            Err(NoResult::NoPlan(format!("the plan is larger than {mib} MiB, the most that can be kept for an apply")))
        }
        Some(plan) if !plan.is_empty() => Ok(left),
        // A step in a cluster has uploaded its plan.
        None if of.is_some_and(|of| of.step.plan.is_some()) => Ok(left),
        _ => Err(NoResult::NoPlan("the step left no plan".into())),
    }
}

/// The plan as it is shown. It is read only once: without it, the log of the step shows the plan.
async fn shown(app: &App, run: &run::Model, runner: &dyn Runner, name: &str) -> Option<PlanToShow> {
    match with_time_limit(runner.output(name, PLAN_JSON_FILE, PLAN_JSON_BYTES)).await {
        Ok(text) => of_json(app, run, text?).await,
        Err(error) => {
            tracing::warn!(run = %run.id, ?error, "the JSON form of a plan could not be read");
            None
        }
    }
}
