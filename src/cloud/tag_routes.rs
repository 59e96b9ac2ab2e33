//! Tags of a workspace: as plain names, or as keys with values.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Result, answered, guarded};
use super::json_api::{document, several};
use super::tag_binding::TagBinding;
use super::workspace_request::{BindingLinkage, TagLinkage, checked, renamed};
use crate::access::require_right;
use crate::app::App;
use crate::engine::workspace_event::By;
use crate::engine::workspace_tags;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/workspaces/:id/tag-bindings", guarded(get(list).patch(bind)))
        .at("/api/v2/workspaces/:id/relationships/tags", guarded(post(add).delete(remove)))
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let seen = visit.workspace(&id.0).await?;
        shown(&visit, &seen).await
    };
    answered(answer.await)
}

async fn shown(visit: &Visit, seen: &SeenWorkspace) -> Result<Response> {
    let names = store::workspace::tag_names(&visit.app.db, vec![seen.row.id]).await?;
    let data: Vec<Value> = names.iter().map(|(_, name)| TagBinding::of(name).resource()).collect();
    Ok(document(StatusCode::OK, &json!({"data": data})))
}

/// A workspace whose tags the caller may change.
async fn changeable(app: &Arc<App>, request: &Request, id: &str) -> Result<(Visit, SeenWorkspace)> {
    let visit = Visit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.workspaces)?;
    Ok((visit, seen))
}

#[handler]
async fn bind(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    let answer = async {
        let (visit, seen) = changeable(app.0, request, &id.0).await?;
        let given = several::<BindingLinkage>(request, body).await?;
        let tags = checked("data", given.into_iter().map(BindingLinkage::binding).collect())?;
        let names: Vec<String> = tags.iter().map(TagBinding::name).collect();
        let same_key = |one: &str, other: &str| TagBinding::of(one).key == TagBinding::of(other).key;
        let who = visit.requester();
        let by = By { who: &who, at: visit.now };
        let (row, names) = (&seen.row, &names);
        let kept = store::write(&app.0.db, async |tx| workspace_tags::bind(tx, row, names, same_key, by).await).await;
        kept.map_err(renamed)?;
        shown(&visit, &seen).await
    };
    answered(answer.await)
}

/// What is done with tags that are given by their names.
#[derive(Clone, Copy)]
enum Change {
    Add,
    Remove,
}

#[handler]
async fn add(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    answered(changed(app.0, request, (&id.0, Change::Add), body).await)
}

#[handler]
async fn remove(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    answered(changed(app.0, request, (&id.0, Change::Remove), body).await)
}

async fn changed(app: &Arc<App>, request: &Request, (id, change): (&str, Change), body: Body) -> Result<Response> {
    let (visit, seen) = changeable(app, request, id).await?;
    let given = several::<TagLinkage>(request, body).await?;
    let tags = checked("data", given.into_iter().map(TagLinkage::binding).collect())?;
    let names: Vec<String> = tags.iter().map(TagBinding::name).collect();
    let who = visit.requester();
    let (by, row, names) = (By { who: &who, at: visit.now }, &seen.row, &names);
    let done = store::write(&app.db, async |tx| match change {
        Change::Add => workspace_tags::add(tx, row, names, by).await,
        Change::Remove => workspace_tags::remove(tx, row, names, by).await,
    });
    done.await.map_err(renamed)?;
    Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
}
