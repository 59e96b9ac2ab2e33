//! States: the HTTP backend that Terraform and OpenTofu write to (<https://developer.hashicorp.com/terraform/language/backend/http>),
//! with locks, and the versions that are read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::id::{OrganizationId, StateVersionId, WorkspaceId};
use entity::{state_version, workspace, workspace_step};
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::{Value, json};
use sha2::Digest as _;
use uuid::Uuid;

use super::error::{Problem, Result};
use super::log::{ids, plain};
use super::session::Session;
use super::{answered, guarded, state_document};
use crate::app::App;
use crate::engine::workspace::STATE_USER;
use crate::error::Error;
use crate::secret::{self, TokenHash};
use crate::store;

/// The largest state, in bytes.
const MOST_BYTES: usize = 256 * 1024 * 1024;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/backend", guarded(backend))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/state/:file", guarded(get(version)))
}

/// Who reaches for a state.
struct Holder {
    workspace: workspace::Model,
    /// The step, where it is the process of one.
    step: Option<workspace_step::Model>,
    name: String,
}

/// Lets in the process of a step of the workspace, or whoever manages its state.
async fn holder(
    app: &Arc<App>,
    request: &Request,
    (organization, id): (OrganizationId, WorkspaceId),
) -> Result<Holder> {
    let unknown = || Problem::unknown(&id.to_string(), "workspace");
    let basic = basic(request);
    let (name, step, allowed) = match &basic {
        Some((user, password)) if user == STATE_USER => {
            let hash = TokenHash::of(password).stored();
            let step = store::workspace::step_by_token(&app.db, &hash).await?;
            let step = step.ok_or(Error::Unauthenticated("the credential of the step does not hold any more"))?;
            let allowed = step.workspace_id == id;
            (format!("job {}", step.job_id), Some(step), allowed)
        }
        given => {
            let session = match given {
                Some((_, password)) => {
                    let caller = app.authenticator.caller(Some(&format!("Bearer {password}")), None).await?;
                    Session::with(app, caller).await?
                }
                None => Session::of(app, request).await?,
            };
            let rights = session.reach.in_workspace(organization, id);
            if rights.view && !rights.states {
                return Err(Problem::denied("StatePermission"));
            }
            (session.caller.name().to_owned(), None, rights.states)
        }
    };
    let workspace = store::row::by_id::<workspace::Model>(&app.db, id).await?;
    let workspace = workspace.filter(|row| allowed && row.organization_id == organization && !row.deleted);
    Ok(Holder { workspace: workspace.ok_or_else(unknown)?, step, name })
}

pub(super) fn basic(request: &Request) -> Option<(String, String)> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (word, rest) = header.split_once(' ')?;
    if !word.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[handler]
async fn backend(app: Data<&Arc<App>>, request: &Request, path: Path<(Uuid, Uuid)>, body: Body) -> Response {
    let (organization, workspace) = path.0;
    answered(reached(app.0, request, ids(organization, workspace), body).await)
}

async fn reached(app: &Arc<App>, request: &Request, of: (OrganizationId, WorkspaceId), body: Body) -> Result<Response> {
    let holder = holder(app, request, of).await?;
    match request.method().as_str() {
        "GET" => newest(app, &holder).await,
        "POST" | "PUT" => {
            let id = request.params::<Vec<(String, String)>>().unwrap_or_default();
            let id = id.into_iter().find(|(key, _)| key == "ID").map(|(_, id)| id);
            let state = bytes(body).await?;
            write(app, &holder, id, state).await
        }
        "DELETE" => {
            let empty = json!({"version": 4, "serial": 0, "lineage": "", "outputs": {}, "resources": []});
            write(app, &holder, None, empty.to_string().into_bytes()).await
        }
        "LOCK" => lock(app, &holder, &bytes(body).await?).await,
        "UNLOCK" => unlock(app, &holder, &bytes(body).await?).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")),
    }
}

async fn bytes(body: Body) -> Result<Vec<u8>> {
    let read = body.into_bytes_limit(MOST_BYTES).await;
    let large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a state has at most {MOST_BYTES} bytes"));
    read.map(|bytes| bytes.to_vec()).map_err(large)
}

fn open(app: &App, row: &state_version::Model) -> Result<Vec<u8>> {
    Ok(app.keys.open(&secret::place("state_version", row.id.0), &row.sealed)?.expose().clone())
}

fn json_bytes(bytes: Vec<u8>) -> Response {
    Response::builder().content_type("application/json").body(bytes)
}

async fn newest(app: &App, holder: &Holder) -> Result<Response> {
    match store::workspace::newest_state(&app.db, holder.workspace.id).await? {
        Some(row) => Ok(json_bytes(open(app, &row)?)),
        None => Ok(Response::builder().status(StatusCode::NO_CONTENT).finish()),
    }
}

/// The id that a lock was taken under.
fn lock_id(lock: &Value) -> Option<&str> {
    lock.get("ID").and_then(Value::as_str)
}

/// Stores a version of a state, unless somebody else holds the lock.
async fn write(app: &Arc<App>, holder: &Holder, id: Option<String>, state: Vec<u8>) -> Result<Response> {
    let parsed: Value =
        serde_json::from_slice(&state).map_err(|error| Problem::bad(format!("the state is not JSON: {error}")))?;
    let serial = parsed.get("serial").and_then(Value::as_i64);
    let serial = serial.ok_or_else(|| Problem::bad("the state has no serial"))?;
    let lineage = parsed.get("lineage").and_then(Value::as_str).map(str::to_owned);
    let now = app.clock.now();
    let row_id = StateVersionId::create();
    let row = state_version::Model {
        id: row_id,
        organization_id: holder.workspace.organization_id,
        workspace_id: holder.workspace.id,
        created_at: now,
        updated_at: now,
        created_by: holder.name.clone(),
        updated_by: holder.name.clone(),
        job_id: holder.step.as_ref().map(|step| step.job_id),
        serial,
        lineage,
        md5: md5_hex(&state),
        sealed: app.keys.seal(&secret::place("state_version", row_id.0), &state)?,
    };
    store::write(&app.db, async |tx| {
        let workspace = store::workspace::lock(tx, holder.workspace.id).await?;
        let held = workspace.and_then(|workspace| workspace.state_lock);
        if let Some(held) = held
            && lock_id(&held) != id.as_deref()
        {
            return Err(Problem::new(StatusCode::LOCKED, "somebody else holds the lock of the state"));
        }
        let newest = store::workspace::newest_state(tx, holder.workspace.id).await?;
        // The same state again is the same version.
        if newest.is_none_or(|newest| newest.md5 != row.md5) {
            store::row::create(tx, row).await?;
        }
        Ok(())
    })
    .await?;
    Ok(Response::builder().status(StatusCode::OK).finish())
}

async fn lock(app: &App, holder: &Holder, body: &[u8]) -> Result<Response> {
    let wanted: Value = serde_json::from_slice(body).map_err(|error| Problem::bad(error.to_string()))?;
    if lock_id(&wanted).is_none() {
        return Err(Problem::bad("the lock has no ID"));
    }
    let step = holder.step.as_ref().map(|step| step.id);
    if store::workspace::lock_state(&app.db, holder.workspace.id, wanted, step).await? {
        return Ok(Response::builder().status(StatusCode::OK).finish());
    }
    let row = store::row::by_id::<workspace::Model>(&app.db, holder.workspace.id).await?;
    Ok(plain(StatusCode::LOCKED, &row.and_then(|row| row.state_lock).unwrap_or_else(|| json!({}))))
}

/// Gives a lock back; without an id, whoever holds it.
async fn unlock(app: &Arc<App>, holder: &Holder, body: &[u8]) -> Result<Response> {
    let given: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let refused = store::write(&app.db, async |tx| {
        let row = store::workspace::lock(tx, holder.workspace.id).await?;
        let held = row.and_then(|row| row.state_lock);
        match held {
            Some(held) if lock_id(&given).is_some() && lock_id(&held) != lock_id(&given) => Ok::<_, Error>(Some(held)),
            _ => {
                store::workspace::unlock_state(tx, holder.workspace.id, None).await?;
                Ok(None)
            }
        }
    })
    .await?;
    match refused {
        Some(held) => Ok(plain(StatusCode::CONFLICT, &held)),
        None => Ok(Response::builder().status(StatusCode::OK).finish()),
    }
}

/// A version of a state: as it is written, as `terraform show -json` would tell it, or the newest.
#[handler]
async fn version(app: Data<&Arc<App>>, request: &Request, path: Path<(Uuid, Uuid, String)>) -> Response {
    let (organization, workspace, file) = path.0;
    answered(file_of(app.0, request, ids(organization, workspace), &file).await)
}

async fn file_of(app: &Arc<App>, request: &Request, of: (OrganizationId, WorkspaceId), file: &str) -> Result<Response> {
    let holder = holder(app, request, of).await?;
    let unknown = || Problem::unknown(file, "history");
    if file == "terraform.tfstate" {
        let row = store::workspace::newest_state(&app.db, holder.workspace.id).await?.ok_or_else(unknown)?;
        return Ok(json_bytes(open(app, &row)?));
    }
    let name = file.strip_suffix(".json").ok_or_else(unknown)?;
    let (name, raw) = name.strip_suffix(".raw").map_or((name, false), |name| (name, true));
    let id = StateVersionId(name.parse().map_err(|_| unknown())?);
    let row = store::workspace::state(&app.db, holder.workspace.id, id).await?.ok_or_else(unknown)?;
    let state = open(app, &row)?;
    if raw {
        return Ok(json_bytes(state));
    }
    let state: Value = serde_json::from_slice(&state).map_err(Error::internal)?;
    Ok(plain(StatusCode::OK, &state_document::shown(&state)))
}

/// As clients compare it.
fn md5_hex(bytes: &[u8]) -> String {
    md5::Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
