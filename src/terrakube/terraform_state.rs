//! Terraform states: the HTTP backend of Terraform and OpenTofu, with its locks
//! (<https://developer.hashicorp.com/terraform/language/backend/http>).

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::state_version;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::{Value, json};
use sha2::Digest as _;
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::{answered, guarded};
use super::state_client::{StateClient, state_client};
use super::state_file::{self, json_bytes, open};
use super::state_lock::{lock, lock_id, unlock};
use crate::app::App;
use crate::secret::{self};
use crate::store;

/// The size limit of a state, in bytes.
const MOST_BYTES: usize = 256 * 1024 * 1024;

pub(super) fn routes(route: Route) -> Route {
    route.at("/tfstate/v1/organization/:organization/workspace/:workspace/backend", guarded(backend)).at(
        "/tfstate/v1/organization/:organization/workspace/:workspace/state/:file",
        guarded(get(state_file::version)),
    )
}

#[handler]
async fn backend(app: Data<&Arc<App>>, request: &Request, path: Path<(Uuid, Uuid)>, body: Body) -> Response {
    answered(reached(app.0, request, path.0, body).await)
}

async fn reached(app: &Arc<App>, request: &Request, of: (Uuid, Uuid), body: Body) -> Result<Response> {
    let client = state_client(app, request, of).await?;
    match request.method().as_str() {
        "GET" => newest(app, &client).await,
        "POST" | "PUT" => {
            let id = request.params::<Vec<(String, String)>>().unwrap_or_default();
            let id = id.into_iter().find(|(key, _)| key == "ID").map(|(_, id)| id);
            let state = bytes(body).await?;
            write(app, &client, id, state).await
        }
        "DELETE" => {
            let empty = json!({"version": 4, "serial": 0, "lineage": "", "outputs": {}, "resources": []});
            write(app, &client, None, empty.to_string().into_bytes()).await
        }
        "LOCK" => lock(app, &client, &bytes(body).await?).await,
        "UNLOCK" => unlock(app, &client, &bytes(body).await?).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")),
    }
}

async fn bytes(body: Body) -> Result<Vec<u8>> {
    let read = body.into_bytes_limit(MOST_BYTES).await;
    let large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the state is larger than {MOST_BYTES} bytes"));
    read.map(|bytes| bytes.to_vec()).map_err(large)
}

async fn newest(app: &App, client: &StateClient) -> Result<Response> {
    match store::workspace::newest_state(&app.db, client.workspace.id).await? {
        Some(row) => Ok(json_bytes(open(app, &row)?)),
        None => Ok(Response::builder().status(StatusCode::NO_CONTENT).finish()),
    }
}

/// Stores a new version of a state, unless another client holds the lock.
async fn write(app: &Arc<App>, client: &StateClient, id: Option<String>, state: Vec<u8>) -> Result<Response> {
    client.require_writer()?;
    let parsed: Value =
        serde_json::from_slice(&state).map_err(|error| Problem::bad(format!("the state is not JSON: {error}")))?;
    let serial = parsed.get("serial").and_then(Value::as_i64);
    let serial = serial.ok_or_else(|| Problem::bad("the state has no serial"))?;
    let lineage = parsed.get("lineage").and_then(Value::as_str).map(str::to_owned);
    let now = app.clock.now();
    let row_id = StateVersionId::create();
    let row = state_version::Model {
        id: row_id,
        organization_id: client.workspace.organization_id,
        workspace_id: client.workspace.id,
        created_at: now,
        updated_at: now,
        created_by: client.name.clone(),
        updated_by: client.name.clone(),
        job_id: client.step.as_ref().map(|step| step.job_id),
        serial,
        lineage,
        md5: md5_hex(&state),
        sealed: app.keys.seal(&secret::place("state_version", row_id.0), &state)?,
    };
    store::write(&app.db, async |tx| {
        let workspace = store::workspace::lock(tx, client.workspace.id).await?;
        let held = workspace.and_then(|workspace| workspace.state_lock);
        if let Some(held) = held
            && lock_id(&held) != id.as_deref()
        {
            return Err(Problem::new(StatusCode::LOCKED, "another client holds the lock of the state"));
        }
        let newest = store::workspace::newest_state(tx, client.workspace.id).await?;
        // An unchanged state does not make a new version.
        if newest.is_none_or(|newest| newest.md5 != row.md5) {
            store::row::create(tx, row).await?;
        }
        Ok(())
    })
    .await?;
    Ok(Response::builder().status(StatusCode::OK).finish())
}

/// The MD5 digest of a state, in hexadecimal.
fn md5_hex(bytes: &[u8]) -> String {
    md5::Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
