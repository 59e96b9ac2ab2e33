//! Stored versions of Terraform states.

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::state_version;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::Value;
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::{answered, json_response};
use super::state_client::state_client;
use super::state_document;
use crate::app::App;
use crate::error::Error;
use crate::secret::{self};
use crate::store;

pub(super) fn open(app: &App, row: &state_version::Model) -> Result<Vec<u8>> {
    Ok(app.keys.open(&secret::place("state_version", row.id.0), &row.sealed)?.expose().clone())
}

pub(super) fn json_bytes(bytes: Vec<u8>) -> Response {
    Response::builder().content_type("application/json").body(bytes)
}

/// A version of a state: raw, in the format of `terraform show -json`, or the newest one.
#[handler]
pub(super) async fn version(app: Data<&Arc<App>>, request: &Request, path: Path<(Uuid, Uuid, String)>) -> Response {
    let (organization, workspace, file) = path.0;
    answered(file_of(app.0, request, (organization, workspace), &file).await)
}

async fn file_of(app: &Arc<App>, request: &Request, of: (Uuid, Uuid), file: &str) -> Result<Response> {
    let client = state_client(app, request, of).await?;
    let unknown = || Problem::unknown(file, "history");
    if file == "terraform.tfstate" {
        let row = store::workspace::newest_state(&app.db, client.workspace.id).await?.ok_or_else(unknown)?;
        return Ok(json_bytes(open(app, &row)?));
    }
    let name = file.strip_suffix(".json").ok_or_else(unknown)?;
    let (name, raw) = name.strip_suffix(".raw").map_or((name, false), |name| (name, true));
    let id = StateVersionId(name.parse().map_err(|_| unknown())?);
    let row = store::workspace::state(&app.db, client.workspace.id, id).await?.ok_or_else(unknown)?;
    let state = open(app, &row)?;
    if raw {
        return Ok(json_bytes(state));
    }
    let state: Value = serde_json::from_slice(&state).map_err(Error::internal)?;
    Ok(json_response(StatusCode::OK, &state_document::shown(&state)))
}
