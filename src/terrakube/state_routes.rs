//! What is read of states without downloading them, and the states that people store: rollbacks and imports.

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::{state_version, workspace};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::change_document::{output, resource};
use super::error::{Problem, Result};
use super::request::read_json_body;
use super::response::{answered, guarded, json_response};
use super::state_client::{StateClient, state_client};
use super::state_lock::lock_id;
use super::state_request::WriteRequest;
use crate::app::App;
use crate::engine::terraform_state::{
    Import, NotChanged, ResourcePage, Rollback, StateWriter, compare, import, resources, rollback, stored_outputs,
};
use crate::store;

/// How many resources a page has by default, and at most.
const PAGE: u64 = 100;
const MOST: u64 = 1000;
/// The longest value of an output that is listed, in bytes.
const VALUE: usize = 64 * 1024;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/resources", guarded(get(list_resources)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/outputs", guarded(get(list_outputs)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/comparison", guarded(get(comparison)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/rollback", guarded(post(roll_back)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/import", guarded(post(import_file)))
}

type Ids = Path<(Uuid, Uuid)>;

/// A caller who manages the states of a workspace. Steps have routes of their own.
async fn manager(app: &Arc<App>, request: &Request, ids: (Uuid, Uuid)) -> Result<StateClient> {
    let client = state_client(app, request, ids).await?;
    if client.step.is_some() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "a step reads and writes the state by its backend only"));
    }
    Ok(client)
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.params::<Vec<(String, String)>>().unwrap_or_default();
    query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn number(request: &Request, name: &str, (default, most): (u64, u64)) -> Result<u64> {
    let Some(text) = parameter(request, name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Problem::bad(format!("{name} must be a number from 1 to {most}")))
}

/// The version that a parameter names, or the newest one.
async fn version(app: &App, of: &workspace::Model, name: &str, id: Option<String>) -> Result<state_version::Model> {
    let row = match id {
        None => store::workspace::newest_state(&app.db, of.id).await?,
        Some(id) => {
            let id: Uuid = id.parse().map_err(|_| Problem::bad(format!("{name} must be the id of a version")))?;
            let row = store::workspace::state(&app.db, of.id, StateVersionId(id)).await?;
            return row.ok_or_else(|| Problem::unknown(&id.to_string(), "history"));
        }
    };
    row.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "the workspace has no state yet"))
}

fn head(row: &state_version::Model) -> Value {
    json!({"id": row.id, "serial": row.serial, "lineage": row.lineage, "md5": row.md5})
}

#[handler]
async fn list_resources(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    let answer = async {
        let client = manager(app.0, request, ids.0).await?;
        let (page, size) = (number(request, "page", (1, 100_000))?, number(request, "size", (PAGE, MOST))?);
        let row = version(app.0, &client.workspace, "version", parameter(request, "version")).await?;
        let of = head(&row);
        let ResourcePage { resources, total, is_cut } = resources(app.0, row, ((page - 1) * size, size)).await?;
        let body = json!({
            "version": of, "page": page, "size": size, "total": total, "more": is_cut, "resources": resources,
        });
        Ok(json_response(StatusCode::OK, &body))
    };
    answered(answer.await)
}

#[handler]
async fn list_outputs(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    let answer = async {
        let client = manager(app.0, request, ids.0).await?;
        let row = version(app.0, &client.workspace, "version", parameter(request, "version")).await?;
        let of = head(&row);
        let outputs = stored_outputs(app.0, row).await?.into_iter().map(|one| {
            let is_shown = !one.sensitive && one.value.get().len() <= VALUE;
            let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            json!({
                "name": one.name,
                "sensitive": one.sensitive,
                "type": value(one.kind.get()),
                "value": is_shown.then(|| value(one.value.get())),
                "large": !one.sensitive && !is_shown,
            })
        });
        let body = json!({"version": of, "outputs": outputs.collect::<Vec<_>>()});
        Ok(json_response(StatusCode::OK, &body))
    };
    answered(answer.await)
}

#[handler]
async fn comparison(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    let answer = async {
        let client = manager(app.0, request, ids.0).await?;
        let from = parameter(request, "from").ok_or_else(|| Problem::bad("from must be the id of a version"))?;
        let before = version(app.0, &client.workspace, "from", Some(from)).await?;
        let after = version(app.0, &client.workspace, "to", parameter(request, "to")).await?;
        let (from, to) = (head(&before), head(&after));
        let view = compare(app.0, before, after).await?;
        let body = json!({
            "from": from,
            "to": to,
            "created": view.counts.add,
            "changed": view.counts.change,
            "deleted": view.counts.destroy,
            "resources": view.resources.iter().map(resource).collect::<Vec<_>>(),
            "outputs": view.outputs.iter().map(output).collect::<Vec<_>>(),
            "more": view.more,
        });
        Ok(json_response(StatusCode::OK, &body))
    };
    answered(answer.await)
}

/// Which version is to be the newest one again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RollbackRequest {
    version_id: Option<Uuid>,
    serial: Option<i64>,
    reason: String,
}

/// Whether somebody who holds this lock, or none, may write a state.
fn may_write(lock: Option<&str>) -> impl Fn(&workspace::Model) -> bool {
    move |row| row.state_lock.as_ref().is_none_or(|held| lock.is_some() && lock_id(held) == lock)
}

/// Somebody who stores a state.
fn writer<F>(client: &StateClient, may_write: F) -> Result<StateWriter<'_, F>> {
    let by = client.requester.as_ref().ok_or_else(|| Problem::denied("StatePermission"))?;
    Ok(StateWriter { workspace: &client.workspace, name: &client.name, by, may_write })
}

#[handler]
async fn roll_back(app: Data<&Arc<App>>, request: &Request, ids: Ids, body: Body) -> Response {
    let answer = async {
        let client = manager(app.0, request, ids.0).await?;
        let wanted: RollbackRequest = serde_json::from_value(read_json_body(body).await?)
            .map_err(|error| Problem::bad(format!("the body must have versionId or serial, and reason: {error}")))?;
        let to = match (wanted.version_id, wanted.serial) {
            (Some(id), None) => version(app.0, &client.workspace, "versionId", Some(id.to_string())).await?,
            (None, Some(serial)) => {
                let row = store::workspace::state_of_serial(&app.0.db, client.workspace.id, serial).await?;
                let none =
                    || Problem::new(StatusCode::NOT_FOUND, format!("there is no version with the serial {serial}"));
                row.ok_or_else(none)?
            }
            _ => return Err(Problem::bad("exactly one of versionId and serial must be given")),
        };
        let lock = parameter(request, "ID");
        let may_write = may_write(lock.as_deref());
        let of = writer(&client, &may_write)?;
        let id = rollback(app.0, of, Rollback { to, reason: &wanted.reason }).await?;
        stored(app.0, &client.workspace, Some(id), StatusCode::CREATED).await
    };
    answered(answer.await)
}

/// The sum as `md5sum` prints it.
fn given_md5(request: &Request) -> Result<Option<String>> {
    let Some(text) = parameter(request, "md5") else { return Ok(None) };
    let text = text.trim().to_lowercase();
    if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Some(text));
    }
    Err(Problem::bad("md5 must be an MD5 sum of 32 hexadecimal digits"))
}

#[handler]
async fn import_file(app: Data<&Arc<App>>, request: &Request, ids: Ids, body: Body) -> Response {
    let answer = async {
        let client = manager(app.0, request, ids.0).await?;
        let WriteRequest { lock, is_forced, md5 } = WriteRequest::of(request)?;
        let reason = parameter(request, "reason");
        let md5 = md5.or(given_md5(request)?);
        let may_write = may_write(lock.as_deref());
        let of = writer(&client, &may_write)?;
        let wanted = Import { md5: md5.as_deref(), is_forced, reason: reason.as_deref() };
        let id = import(app.0, of, wanted, body.into_bytes_stream()).await?;
        let status = if id.is_some() { StatusCode::CREATED } else { StatusCode::OK };
        stored(app.0, &client.workspace, id, status).await
    };
    answered(answer.await)
}

/// The version that was stored, or the newest one, which is the same.
async fn stored(app: &App, of: &workspace::Model, id: Option<StateVersionId>, status: StatusCode) -> Result<Response> {
    let row = version(app, of, "id", id.map(|id| id.to_string())).await?;
    app.wake.now();
    Ok(json_response(status, &head(&row)))
}

impl From<NotChanged> for Problem {
    fn from(refused: NotChanged) -> Self {
        match refused {
            NotChanged::Refused(refused) => refused.into(),
            NotChanged::NotStored(refused) => refused.into(),
            NotChanged::Other(error) => error.into(),
        }
    }
}
