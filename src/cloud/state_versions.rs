//! Versions of states: lists, single ones, and the states themselves.

use std::sync::Arc;

use entity::state_version;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{document, resource};
use super::state_version_request::create;
use super::state_visit::StateVisit;
use super::version_document::stored;
use super::workspace_list::query_of;
use crate::access::require_right;
use crate::app::App;
use crate::engine::terraform_state::{StateContent, content, read, shown};
use crate::error::Error;
use crate::store;
use crate::store::workspace::StateLine;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/state-versions", guarded(get(list)))
        .at("/api/v2/state-versions/:id", guarded(get(read_one)))
        .at("/api/v2/state-versions/:id/download", guarded(get(download)))
        .at("/api/v2/state-versions/:id/json-download", guarded(get(download_json)))
        .at("/api/v2/workspaces/:id/state-versions", guarded(post(create_one)))
        .at("/api/v2/workspaces/:id/current-state-version", guarded(get(current)))
}

/// A workspace whose state the client may read.
pub(super) async fn readable(app: &Arc<App>, request: &Request, id: &str) -> Result<(StateVisit, SeenWorkspace)> {
    let visit = StateVisit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.states)?;
    Ok((visit, seen))
}

/// A version of a state that the client may read.
pub(super) async fn version(app: &Arc<App>, request: &Request, id: &str) -> Result<(StateVisit, StateLine)> {
    let visit = StateVisit::of(app, request).await?;
    let line = visit.version(id).await?;
    Ok((visit, line))
}

/// The row of a version, with its state.
pub(super) async fn row(app: &App, line: &StateLine) -> Result<state_version::Model> {
    let row = store::workspace::state(&app.db, line.workspace_id, line.id).await?;
    row.ok_or_else(|| Problem::missing("state version"))
}

#[handler]
async fn create_one(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    answered(create(app.0, request, &id.0, body).await)
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request) -> Response {
    answered(listed(app.0, request).await)
}

async fn listed(app: &Arc<App>, request: &Request) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let query = query_of(request)?;
    let text = |name: &str| query.text(name).ok_or_else(|| Problem::bad(format!("{name}: is required")));
    let (organization, name) = (text("filter[organization][name]")?, text("filter[workspace][name]")?);
    let seen = visit.named_workspace(organization, name).await?;
    require_right(seen.rights.states)?;
    let (lines, total) = store::workspace::page_of_states(&app.db, seen.row.id, query.range()).await?;
    let data: Vec<Value> = lines.iter().map(|line| stored(&visit.base, line)).collect();
    Ok(document(StatusCode::OK, &json!({"data": data, "meta": query.meta(total)})))
}

#[handler]
async fn read_one(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (visit, line) = version(app.0, request, &id.0).await?;
        Ok(resource(StatusCode::OK, &stored(&visit.base, &line)))
    };
    answered(answer.await)
}

/// The newest version. 404 means that there is none yet, so that somebody who may not read the state gets another status.
#[handler]
async fn current(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (visit, seen) = readable(app.0, request, &id.0).await?;
        let lines = store::workspace::list_states(&app.0.db, seen.row.id, 1).await?;
        let line = lines.first().ok_or_else(|| Problem::missing("state version"))?;
        Ok(resource(StatusCode::OK, &stored(&visit.base, line)))
    };
    answered(answer.await)
}

const JSON: &str = "application/json";

#[handler]
async fn download(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (_, line) = version(app.0, request, &id.0).await?;
        let StateContent { bytes, parts } = content(app.0, row(app.0, &line).await?).await?;
        let response = Response::builder().content_type(JSON).header("content-length", bytes.to_string());
        Ok(response.body(Body::from_bytes_stream(parts)))
    };
    answered(answer.await)
}

#[handler]
async fn download_json(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (_, line) = version(app.0, request, &id.0).await?;
        let state = read(app.0, row(app.0, &line).await?).await?;
        let text = tokio::task::spawn_blocking(move || shown(&state)).await.map_err(Error::internal)?;
        let text = text.map_err(|_| {
            Problem::conflict("unknown format", "the state does not have the format of a state of version 4")
        })?;
        Ok(Response::builder().content_type(JSON).body(text))
    };
    answered(answer.await)
}
