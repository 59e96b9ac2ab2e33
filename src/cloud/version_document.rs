//! Pure: a version of a state as this API shows it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::expected_state::Expected;
use super::json_api::{time, to_one};
use super::run_document::run_id;
use crate::store::workspace::StateLine;

/// Where a state that is to come is uploaded to.
pub(super) struct Uploads {
    pub(super) state: String,
    pub(super) json_state: String,
}

/// A version that is stored.
pub(super) fn stored(base: &str, line: &StateLine) -> Value {
    let StateLine { id, workspace_id, created_at, created_by: _, job_id, serial, reason: _ } = line;
    let place = format!("{base}/api/v2/state-versions/{id}");
    json!({
        "id": id,
        "type": "state-versions",
        "attributes": {
            "created-at": time(*created_at),
            "serial": serial,
            "status": "finalized",
            "resources-processed": true,
            "hosted-state-download-url": format!("{place}/download"),
            "hosted-json-state-download-url": format!("{place}/json-download"),
            "hosted-state-upload-url": null,
            "hosted-json-state-upload-url": null,
        },
        "relationships": {
            "workspace": to_one("workspaces", workspace_id),
            "run": {"data": job_id.map(|id| json!({"id": run_id(id), "type": "runs"}))},
        },
        "links": {"self": format!("/api/v2/state-versions/{id}")},
    })
}

/// A version whose state has not been uploaded: it is not the newest one, and will never be without an upload.
pub(super) fn pending(expected: &Expected, uploads: Uploads, now: DateTime<Utc>) -> Value {
    let Uploads { state, json_state } = uploads;
    json!({
        "id": expected.upload,
        "type": "state-versions",
        "attributes": {
            "created-at": time(now),
            "serial": expected.serial,
            "status": "pending",
            "resources-processed": false,
            "hosted-state-download-url": null,
            "hosted-json-state-download-url": null,
            "hosted-state-upload-url": state,
            "hosted-json-state-upload-url": json_state,
        },
        "relationships": {
            "workspace": to_one("workspaces", expected.workspace),
            "run": {"data": expected.job.map(|id| json!({"id": run_id(id), "type": "runs"}))},
        },
        "links": {"self": format!("/api/v2/state-versions/{}", expected.upload)},
    })
}
