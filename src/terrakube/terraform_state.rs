//! Terraform states: the HTTP backend of Terraform and OpenTofu, with its locks
//! (<https://developer.hashicorp.com/terraform/language/backend/http>).

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::{state_version, workspace};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::json;
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::{answered, guarded};
use super::state_client::{StateClient, state_client};
use super::state_file;
use super::state_lock::{lock, lock_id, unlock};
use super::state_order::refusal;
use super::state_request::WriteRequest;
use super::state_transfer::{discard, receive, send};
use crate::app::App;
use crate::engine::terraform_state::{SealedState, StateHead};
use crate::input::bounds::STATE_TEXT;
use crate::input::stored_text;
use crate::store;

/// The size limit of the description of a lock, in bytes.
const MOST_LOCK_BYTES: usize = 64 * 1024;

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
            let wanted = WriteRequest::of(request)?;
            write(app, &client, wanted, body).await
        }
        "DELETE" => {
            let empty = json!({"version": 4, "serial": 0, "lineage": "", "outputs": {}, "resources": []});
            let wanted = WriteRequest { lock: None, is_forced: true, md5: None };
            write(app, &client, wanted, Body::from(empty.to_string())).await
        }
        "LOCK" => lock(app, &client, &bytes(body).await?).await,
        "UNLOCK" => unlock(app, &client, &bytes(body).await?).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")),
    }
}

async fn bytes(body: Body) -> Result<Vec<u8>> {
    let read = body.into_bytes_limit(MOST_LOCK_BYTES).await;
    let text = format!("the lock is larger than {MOST_LOCK_BYTES} bytes");
    read.map(|bytes| bytes.to_vec()).map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text))
}

async fn newest(app: &Arc<App>, client: &StateClient) -> Result<Response> {
    match store::workspace::newest_state(&app.db, client.workspace.id).await? {
        Some(row) => send(app, row).await,
        None => Ok(Response::builder().status(StatusCode::NO_CONTENT).finish()),
    }
}

/// Stores a new version of a state, unless another client holds the lock.
async fn write(app: &Arc<App>, client: &StateClient, wanted: WriteRequest, state: Body) -> Result<Response> {
    client.require_writer()?;
    // A large state is not received in vain.
    refuse_locked(&client.workspace, wanted.lock.as_deref())?;
    let id = StateVersionId::create();
    let received = receive(app, id, state).await;
    let stored = match received {
        Ok(state) => store_version(app, client, &wanted, (id, state)).await,
        Err(problem) => Err(problem),
    };
    if !matches!(stored, Ok(true)) {
        discard(app, id).await;
    }
    stored.map(|_| Response::builder().status(StatusCode::OK).finish())
}

fn refuse_locked(workspace: &workspace::Model, given: Option<&str>) -> Result<()> {
    match &workspace.state_lock {
        Some(held) if lock_id(held) != given => {
            Err(Problem::new(StatusCode::LOCKED, "another client holds the lock of the state"))
        }
        _ => Ok(()),
    }
}

/// Stores a state version. Returns false if the state has not changed, which makes no new version.
async fn store_version(
    app: &App,
    client: &StateClient,
    wanted: &WriteRequest,
    (id, state): (StateVersionId, SealedState),
) -> Result<bool> {
    let SealedState { head: StateHead { serial, lineage, .. }, md5, sealed, pieces } = state;
    wanted.check_md5(&md5)?;
    let serial = serial.ok_or_else(|| Problem::bad("the state has no serial"))?;
    stored_text::check_length("lineage", lineage.as_deref().unwrap_or_default(), STATE_TEXT)?;
    let now = app.clock.now();
    let row = state_version::Model {
        id,
        organization_id: client.workspace.organization_id,
        workspace_id: client.workspace.id,
        created_at: now,
        updated_at: now,
        created_by: client.name.clone(),
        updated_by: client.name.clone(),
        job_id: client.step.as_ref().map(|step| step.job_id),
        serial,
        lineage,
        md5,
        sealed,
        pieces,
    };
    store::write(&app.db, async |tx| {
        if let Some(workspace) = store::workspace::lock(tx, client.workspace.id).await? {
            refuse_locked(&workspace, wanted.lock.as_deref())?;
        }
        if let Some(newest) = store::workspace::newest_state_mark(tx, client.workspace.id).await? {
            if newest.md5 == row.md5 {
                return Ok(false);
            }
            let stale = refusal((newest.serial, newest.lineage.as_deref()), (row.serial, row.lineage.as_deref()));
            if let Some(stale) = stale.filter(|_| !wanted.is_forced) {
                return Err(Problem::new(StatusCode::CONFLICT, stale));
            }
        }
        store::row::create(tx, row).await?;
        Ok(true)
    })
    .await
}
