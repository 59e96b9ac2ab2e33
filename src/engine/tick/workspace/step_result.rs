//! The results of a workspace step: the outcome of its plan, its commit, and the plan itself.

use entity::id::WorkspaceStepId;
use entity::{plan_output, run};

use super::plan_to_show::{PlanToShow, of_json};
use super::saved_plan;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::engine::given_variables::keeps_plan_json;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::runner::terraform::layout::{
    PLAN_BYTES, PLAN_FILE, PLAN_JSON_BYTES, PLAN_JSON_FILE, PROVIDERS_JSON_BYTES, PROVIDERS_JSON_FILE, RESULT_FILE,
};
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
    /// The JSON form of a plan that programs ask for.
    #[serde(skip)]
    pub(super) output: Option<plan_output::Model>,
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
    // The next step checks it out.
    left.commit = left.commit.and_then(|commit| limits::commit("commit", &commit).ok());
    if !plans {
        return Ok(left);
    }
    left.plan = with_time_limit(runner.output(name, PLAN_FILE, PLAN_BYTES)).await.map_err(unread)?;
    let saved = of.as_ref().filter(|of| keeps_plan_json(app, &of.job).unwrap_or(of.job.save_plan));
    let saved = saved.map(|of| of.step.id);
    if let Some(text) = optional(run, runner, (name, PLAN_JSON_FILE, PLAN_JSON_BYTES)).await {
        if let Some(step) = saved {
            left.output = output(app, run, runner, (name, step), text.clone()).await;
        }
        left.shown = of_json(app, run, text).await;
    }
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

/// A file that is read only once: without it, the log of the step shows the plan.
async fn optional(run: &run::Model, runner: &dyn Runner, (name, file, most): (&str, &str, u64)) -> Option<Vec<u8>> {
    match with_time_limit(runner.output(name, file, most)).await {
        Ok(text) => text,
        Err(error) => {
            tracing::warn!(run = %run.id, file, ?error, "a part of a plan could not be read");
            None
        }
    }
}

/// The JSON form of a saved plan, with the schemas of its resources.
async fn output(
    app: &App,
    run: &run::Model,
    runner: &dyn Runner,
    (name, step): (&str, WorkspaceStepId),
    text: Vec<u8>,
) -> Option<plan_output::Model> {
    let read = async {
        let Some(output) = saved_plan::of_json(app, run, step, text, app.clock.now()).await? else { return Ok(None) };
        let providers = optional(run, runner, (name, PROVIDERS_JSON_FILE, PROVIDERS_JSON_BYTES)).await;
        let schemas = saved_plan::schemas_of(app, run, &output, providers.unwrap_or_default()).await?;
        Ok::<_, Error>(Some(plan_output::Model { schemas, ..output }))
    };
    read.await.unwrap_or_else(|error| {
        tracing::warn!(run = %run.id, %error, "the JSON form of a saved plan could not be kept");
        None
    })
}
