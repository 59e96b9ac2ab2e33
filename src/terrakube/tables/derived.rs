//! Pure: attributes derived from a row and the public URL of the server.

use serde_json::{Value, json};

use crate::store::resource::{Cell, Row};

pub(super) fn id(row: &Row, column: &str) -> String {
    match row.get(column) {
        Some(Cell::Id(id)) => id.to_string(),
        Some(Cell::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The URL of the log of a step; null before the step has started.
pub(super) fn step_output(row: &Row, server: &str) -> Value {
    if row.get("run_id").and_then(Cell::id).is_none() {
        return Value::Null;
    }
    let (organization, job, step) = (id(row, "organization_id"), id(row, "job_id"), id(row, "id"));
    json!(format!("{server}/tfoutput/v1/organization/{organization}/job/{job}/step/{step}"))
}

/// The URL of a state version.
pub(super) fn state_output(row: &Row, server: &str) -> Value {
    let (organization, workspace, version) = (id(row, "organization_id"), id(row, "workspace_id"), id(row, "id"));
    json!(format!("{server}/tfstate/v1/organization/{organization}/workspace/{workspace}/state/{version}.json"))
}

/// Where a provider delivers the events of a repository to.
pub(super) fn webhook_address(row: &Row, server: &str) -> Value {
    json!(format!("{server}/webhook/v2/{}", id(row, "id")))
}

/// The number of the job that wrote a state version.
pub(super) fn job_reference(row: &Row, _: &str) -> Value {
    row.get("job_id").and_then(Cell::number).map_or(Value::Null, |number| json!(number.to_string()))
}

pub(super) fn no_value(_: &Row, _: &str) -> Value {
    Value::Null
}
