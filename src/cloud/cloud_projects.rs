//! Projects, by their names: what a `cloud` block puts workspaces into.

use std::sync::Arc;

use entity::project;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Visit;
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{document, one, resource, time, to_one};
use super::workspace_list::query_of;
use crate::access::{self, require_right};
use crate::app::App;
use crate::engine::new_project;
use crate::error::Error;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route.at("/api/v2/organizations/:organization/projects", guarded(get(list).post(create)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attributes {
    name: Option<String>,
    description: Option<String>,
}

fn project_of(row: &project::Model, organization: &str) -> Value {
    json!({
        "id": row.id,
        "type": "projects",
        "attributes": {"name": row.name, "description": row.description, "created-at": time(row.created_at)},
        "relationships": {"organization": to_one("organizations", organization)},
    })
}

/// Whoever sees only some workspaces sees the projects of those.
#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, organization: Path<String>) -> Response {
    answered(listed(app.0, request, &organization.0).await)
}

async fn listed(app: &Arc<App>, request: &Request, organization: &str) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let (organization, _) = visit.organization(organization).await?;
    let query = query_of(request)?;
    let names: Vec<String> = query.list("filter[names]").into_iter().map(str::to_owned).collect();
    let part = query.text("q").map(str::to_owned);
    let (_, of_workspaces) = access::seen_workspaces(&app.db, &visit.caller, organization.id).await?;
    let wanted = store::project::ProjectSearch { organization: organization.id, of_workspaces, names, part };
    let (rows, total) = store::project::search(&app.db, &wanted, query.range()).await?;
    let data: Vec<Value> = rows.iter().map(|row| project_of(row, &organization.name)).collect();
    Ok(document(StatusCode::OK, &json!({"data": data, "meta": query.meta(total)})))
}

#[handler]
async fn create(app: Data<&Arc<App>>, request: &Request, organization: Path<String>, body: Body) -> Response {
    answered(created(app.0, request, &organization.0, body).await)
}

async fn created(app: &Arc<App>, request: &Request, organization: &str, body: Body) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let (organization, rights) = visit.organization(organization).await?;
    require_right(rights.workspaces)?;
    let Attributes { name, description } = one::<Attributes>(request, body, "projects").await?.attributes;
    let name = name.ok_or_else(|| Problem::invalid("data.attributes.name: is required"))?;
    let by = visit.requester();
    let made = new_project::create(app, &by, organization.id, &name, description.unwrap_or_default()).await;
    let row = made.map_err(|error| match error {
        Error::Invalid { field, message } => Error::invalid(format!("data.attributes.{field}"), message),
        other => other,
    })?;
    Ok(resource(StatusCode::CREATED, &project_of(&row, &organization.name)))
}
