//! Plans as they are shown in the console: without sensitive values, sealed for their step.

use entity::id::WorkspaceStepId;
use entity::shown_plan;

use super::plan_view::PlanView;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;

/// What is known of the plan of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownPlan {
    Plan(Box<PlanView>),
    TooLarge,
}

pub(in crate::engine) fn sealed(app: &App, step: WorkspaceStepId, view: &[u8]) -> Result<Vec<u8>> {
    app.keys.seal(&secret::place("shown_plan", step.0), view)
}

/// Opens a stored plan.
///
/// # Errors
/// If no key opens it.
pub fn open(app: &App, row: &shown_plan::Model) -> Result<ShownPlan> {
    let Some(sealed) = &row.sealed else { return Ok(ShownPlan::TooLarge) };
    let opened = app.keys.open(&secret::place("shown_plan", row.step_id.0), sealed)?;
    let view = serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("a stored plan is not JSON"))?;
    Ok(ShownPlan::Plan(Box::new(view)))
}
