//! The JSON form of a saved plan as programs get it: the whole document, or what may be shown of it, with the schemas that render it.

use std::collections::BTreeMap;

use entity::id::WorkspaceStepId;
use entity::plan_output;
use serde_json::value::RawValue;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};

/// Seals a part of the JSON form of the plan of a step.
///
/// # Errors
/// If it cannot be sealed.
pub(in crate::engine) fn seal(app: &App, step: WorkspaceStepId, part: &[u8]) -> Result<Vec<u8>> {
    app.keys.seal(&secret::place("plan_output", step.0), part)
}

/// Opens such a part.
///
/// # Errors
/// If no key opens it.
pub fn open(app: &App, step: WorkspaceStepId, sealed: &[u8]) -> Result<Secret<Vec<u8>>> {
    app.keys.open(&secret::place("plan_output", step.0), sealed)
}

/// The plan without sensitive values, with the schemas of its resources; none if these are not known.
///
/// # Errors
/// If no key opens a part.
pub fn shown(app: &App, row: &plan_output::Model) -> Result<Option<Vec<u8>>> {
    let Some(schemas) = &row.schemas else { return Ok(None) };
    let (plan, schemas) = (open(app, row.step_id, &row.redacted)?, open(app, row.step_id, schemas)?);
    let broken = |_| Error::internal("the JSON form of a saved plan is not valid");
    let mut all: BTreeMap<&str, &RawValue> = serde_json::from_slice(plan.expose()).map_err(broken)?;
    all.extend(serde_json::from_slice::<BTreeMap<&str, &RawValue>>(schemas.expose()).map_err(broken)?);
    serde_json::to_vec(&all).map(Some).map_err(broken)
}
