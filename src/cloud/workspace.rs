//! Workspaces: the routes of lists and of single ones, by name or by id.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Result, answered, guarded};
use super::state_visit::StateVisit;
use super::workspace_answer::shown;
use super::workspace_change::{create, delete, update};
use super::workspace_list::listed;
use crate::app::App;

pub(super) fn routes(route: Route) -> Route {
    const OF_ORGANIZATION: &str = "/api/v2/organizations/:organization/workspaces";
    route
        .at(OF_ORGANIZATION, guarded(get(list).post(create_one)))
        .at(format!("{OF_ORGANIZATION}/:name"), guarded(get(read_by_name).patch(update_by_name).delete(delete_by_name)))
        .at(format!("{OF_ORGANIZATION}/:name/actions/safe-delete"), guarded(post(delete_by_name)))
        .at("/api/v2/workspaces/:id", guarded(get(read).patch(update_one).delete(delete_one)))
        .at("/api/v2/workspaces/:id/actions/safe-delete", guarded(post(delete_one)))
}

type Names = Path<(String, String)>;

/// A workspace by its name.
async fn named(
    app: &Arc<App>,
    request: &Request,
    (organization, name): (String, String),
) -> Result<(Visit, SeenWorkspace)> {
    let visit = Visit::of(app, request).await?;
    let seen = visit.named_workspace(&organization, &name).await?;
    Ok((visit, seen))
}

/// A workspace by its id.
async fn one(app: &Arc<App>, request: &Request, id: &str) -> Result<(Visit, SeenWorkspace)> {
    let visit = Visit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    Ok((visit, seen))
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, organization: Path<String>) -> Response {
    answered(listed(app.0, request, &organization.0).await)
}

#[handler]
async fn create_one(app: Data<&Arc<App>>, request: &Request, organization: Path<String>, body: Body) -> Response {
    answered(create(app.0, request, &organization.0, body).await)
}

#[handler]
async fn read_by_name(app: Data<&Arc<App>>, request: &Request, names: Names) -> Response {
    let answer = async {
        let (organization, name) = names.0;
        let seen = StateVisit::of(app.0, request).await?.named_workspace(&organization, &name).await?;
        shown(app.0, StatusCode::OK, &seen).await
    };
    answered(answer.await)
}

#[handler]
async fn update_by_name(app: Data<&Arc<App>>, request: &Request, names: Names, body: Body) -> Response {
    let answer = async {
        let (visit, seen) = named(app.0, request, names.0).await?;
        update(&visit, seen, request, body).await
    };
    answered(answer.await)
}

#[handler]
async fn delete_by_name(app: Data<&Arc<App>>, request: &Request, names: Names) -> Response {
    let answer = async {
        let (visit, seen) = named(app.0, request, names.0).await?;
        delete(&visit, &seen).await
    };
    answered(answer.await)
}

#[handler]
async fn read(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let seen = StateVisit::of(app.0, request).await?.workspace(&id.0).await?;
        shown(app.0, StatusCode::OK, &seen).await
    };
    answered(answer.await)
}

#[handler]
async fn update_one(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    let answer = async {
        let (visit, seen) = one(app.0, request, &id.0).await?;
        update(&visit, seen, request, body).await
    };
    answered(answer.await)
}

#[handler]
async fn delete_one(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (visit, seen) = one(app.0, request, &id.0).await?;
        delete(&visit, &seen).await
    };
    answered(answer.await)
}
