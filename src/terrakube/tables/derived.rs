//! Pure: attributes that are derived from a row and the address of the server.

use serde_json::{Value, json};

use crate::store::resource::{Cell, Row};

pub(super) fn id(row: &Row, column: &str) -> String {
    match row.get(column) {
        Some(Cell::Id(id)) => id.to_string(),
        Some(Cell::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Where the log of a step is; none before it has begun.
pub(super) fn step_output(row: &Row, server: &str) -> Value {
    if row.get("run_id").and_then(Cell::id).is_none() {
        return Value::Null;
    }
    let (organization, job, step) = (id(row, "organization_id"), id(row, "job_id"), id(row, "id"));
    json!(format!("{server}/tfoutput/v1/organization/{organization}/job/{job}/step/{step}"))
}

/// Where a version of a state is.
pub(super) fn state_output(row: &Row, server: &str) -> Value {
    let (organization, workspace, version) = (id(row, "organization_id"), id(row, "workspace_id"), id(row, "id"));
    json!(format!("{server}/tfstate/v1/organization/{organization}/workspace/{workspace}/state/{version}.json"))
}

/// The job that wrote a version of a state, as clients know it.
pub(super) fn job_reference(row: &Row, _: &str) -> Value {
    row.get("job_id").and_then(Cell::number).map_or(Value::Null, |number| json!(number.to_string()))
}

pub(super) fn nothing(_: &Row, _: &str) -> Value {
    Value::Null
}
