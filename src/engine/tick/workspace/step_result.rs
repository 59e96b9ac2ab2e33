//! The results of a workspace step: the outcome of its plan, its commit, and the plan itself.

use crate::error::Result;
use crate::runner::terraform::layout::{PLAN_BYTES, PLAN_FILE, RESULT_FILE};
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
}

/// Reads the result of a step from its runner.
pub(in crate::engine::tick) async fn read_result(runner: &dyn Runner, name: &str) -> Result<StepResult, OutputError> {
    let result = with_time_limit(runner.output(name, RESULT_FILE, OUTPUT_BYTES)).await?;
    let read = |text: Vec<u8>| {
        serde_json::from_slice(&text)
            .map_err(|error| OutputError::Refused(format!("{RESULT_FILE} is not valid: {error}")))
    };
    let mut left: StepResult = result.map(read).transpose()?.unwrap_or_default();
    left.plan = with_time_limit(runner.output(name, PLAN_FILE, PLAN_BYTES)).await?;
    if left.plan.as_ref().is_some_and(|plan| plan.len() as u64 > PLAN_BYTES) {
        return Err(OutputError::Refused("the plan is larger than 64 MiB".into()));
    }
    Ok(left)
}
