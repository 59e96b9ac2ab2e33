//! Terraform states: the HTTP backend of Terraform and OpenTofu, with its locks
//! (<https://developer.hashicorp.com/terraform/language/backend/http>).

use std::sync::Arc;

use entity::workspace;
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
use super::state_request::WriteRequest;
use super::state_transfer::send;
use crate::app::App;
use crate::engine::destroy_protection;
use crate::engine::terraform_state::{NewVersion, NotStored, store_version};
use crate::engine::workspace_event::kind;
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
            destroy_protection::refuse(&client.workspace)?;
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

/// Stores a new version of a state, unless another client holds the lock. A state that has not changed makes no new version.
async fn write(app: &Arc<App>, client: &StateClient, wanted: WriteRequest, state: Body) -> Result<Response> {
    client.require_writer()?;
    let may_write = |row: &workspace::Model| match &row.state_lock {
        Some(held) => lock_id(held) == wanted.lock.as_deref(),
        None => true,
    };
    // A large state is not received in vain.
    if !may_write(&client.workspace) {
        return Err(NotStored::Locked.into());
    }
    let version = NewVersion {
        workspace: &client.workspace,
        by: &client.name,
        job: client.step.as_ref().map(|step| step.job_id),
        upload: None,
        reason: None,
        event: client.requester.as_ref().map(|who| (who, kind::UPDATE)),
        follows: None,
        is_forced: wanted.is_forced,
        md5: wanted.md5.as_deref(),
        may_write: &may_write,
    };
    store_version(app, &version, state.into_bytes_stream(), |_| Ok::<_, Problem>(())).await?;
    Ok(Response::builder().status(StatusCode::OK).finish())
}
