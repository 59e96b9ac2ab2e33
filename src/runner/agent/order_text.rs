//! Seals what is stored about the steps of agents, and opens it: orders have secrets, and so may reports and logs.

use entity::agent_step::Model;
use entity::id::AgentStepId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{StepReport, WireLine, WireOutput};
use super::wire_step::WireStep;
use crate::secret::{KeyRing, place};

const SPEC: &str = "agent_step_spec";
const REPORT: &str = "agent_step_report";
const OUTPUTS: &str = "agent_step_outputs";
const LOG: &str = "agent_log";

fn sealed<T: Serialize + ?Sized>(
    keys: &KeyRing,
    (table, id): (&str, AgentStepId),
    value: &T,
) -> Result<Vec<u8>, String> {
    let text = zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(|error| error.to_string())?);
    keys.seal(&place(table, id.0), &text).map_err(|error| error.public())
}

fn opened<T: DeserializeOwned>(keys: &KeyRing, (table, id): (&str, AgentStepId), sealed: &[u8]) -> Result<T, String> {
    let text = keys.open(&place(table, id.0), sealed).map_err(|error| error.public())?;
    serde_json::from_slice(text.expose()).map_err(|error| format!("what is stored of the step is not valid: {error}"))
}

pub(super) fn sealed_spec(keys: &KeyRing, id: AgentStepId, step: &WireStep) -> Result<Vec<u8>, String> {
    sealed(keys, (SPEC, id), step)
}

/// The step to run; none if it has been started.
///
/// # Errors
/// Why it cannot be opened.
pub fn opened_spec(keys: &KeyRing, row: &Model) -> Result<Option<WireStep>, String> {
    row.spec.as_ref().map(|sealed| opened(keys, (SPEC, row.id), sealed)).transpose()
}

/// A report to store, without its outputs.
///
/// # Errors
/// Why it cannot be sealed.
pub fn sealed_report(keys: &KeyRing, id: AgentStepId, report: &StepReport) -> Result<Vec<u8>, String> {
    sealed(keys, (REPORT, id), &StepReport { outputs: Vec::new(), ..report.clone() })
}

/// The last report about a step.
///
/// # Errors
/// Why it cannot be opened.
pub fn opened_report(keys: &KeyRing, row: &Model) -> Result<Option<StepReport>, String> {
    row.report.as_ref().map(|sealed| opened(keys, (REPORT, row.id), sealed)).transpose()
}

/// The outputs of a step to store.
///
/// # Errors
/// Why they cannot be sealed.
pub fn sealed_outputs(keys: &KeyRing, id: AgentStepId, outputs: &[WireOutput]) -> Result<Vec<u8>, String> {
    sealed(keys, (OUTPUTS, id), outputs)
}

pub(super) fn opened_outputs(keys: &KeyRing, row: &Model) -> Result<Vec<WireOutput>, String> {
    let outputs = row.outputs.as_ref().map(|sealed| opened(keys, (OUTPUTS, row.id), sealed));
    Ok(outputs.transpose()?.unwrap_or_default())
}

/// Lines to store.
///
/// # Errors
/// Why they cannot be sealed.
pub fn sealed_lines(keys: &KeyRing, id: AgentStepId, lines: &[WireLine]) -> Result<Vec<u8>, String> {
    sealed(keys, (LOG, id), lines)
}

pub(super) fn opened_lines(keys: &KeyRing, id: AgentStepId, lines: &[u8]) -> Result<Vec<WireLine>, String> {
    opened(keys, (LOG, id), lines)
}
