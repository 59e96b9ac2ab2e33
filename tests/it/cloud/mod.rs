//! The API of `cloud` blocks and the `remote` backend.

mod contract;
mod identity;
mod locks;
pub(crate) mod registry;
mod registry_programs;
mod remote_runs;
mod run_progress;
mod runs;
mod seen_names;
mod service;
mod states;
mod terraform;
mod workspaces;

use serde_json::{Value, json};

use crate::harness::Answer;
use crate::terrakube::House;

/// A document about one resource.
pub(crate) fn document(kind: &str, attributes: Value) -> Value {
    json!({"data": {"type": kind, "attributes": attributes}})
}

/// The detail of an error with this status.
#[track_caller]
pub(crate) fn detail(answer: Answer, status: u16) -> String {
    answer.expect(status)["errors"][0]["detail"].as_str().unwrap().to_owned()
}

impl House {
    /// A path of this API below the organization.
    pub(crate) fn cloud(&self, rest: &str) -> String {
        format!("/api/v2/organizations/acme/{rest}")
    }
}
