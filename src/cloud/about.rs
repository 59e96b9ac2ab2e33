//! What programs ask before anything else: whether this is the API, who they are, and what an organization offers.

use std::sync::Arc;

use entity::organization;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler};
use serde_json::{Value, json};

use super::caller::Visit;
use super::error::{Result, answered, guarded};
use super::json_api::{resource, time};
use super::state_visit::StateVisit;
use crate::access::Subject;
use crate::access::reach::Rights;
use crate::app::App;

/// The version of the API that this server speaks, in a header; `cloud` blocks need 2.5.
const VERSION: (&str, &str) = ("TFP-API-Version", "2.6");

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/ping", guarded(get(ping)))
        .at("/api/v2/account/details", guarded(get(account)))
        .at("/api/v2/organizations/:organization", guarded(get(read_organization)))
        .at("/api/v2/organizations/:organization/entitlement-set", guarded(get(entitlements)))
}

#[handler]
fn ping() -> Response {
    Response::builder().status(StatusCode::NO_CONTENT).header(VERSION.0, VERSION.1).finish()
}

#[handler]
async fn account(app: Data<&Arc<App>>, request: &Request) -> Response {
    answered(Visit::of(app.0, request).await.map(|visit| resource(StatusCode::OK, &user(&visit))))
}

fn user(visit: &Visit) -> Value {
    let identity = &visit.caller.identity;
    let id = match &identity.subject {
        Subject::Person { id, .. } => id.to_string(),
        Subject::Token { id, .. } => id.to_string(),
        Subject::Group { name } => identity.access_token.map_or_else(|| name.clone(), |id| id.to_string()),
    };
    json!({
        "id": id,
        "type": "users",
        "attributes": {
            "username": visit.caller.name(),
            "email": visit.caller.email(),
            "is-service-account": visit.caller.person().is_none(),
        },
    })
}

#[handler]
async fn read_organization(app: Data<&Arc<App>>, request: &Request, name: Path<String>) -> Response {
    answered(shown_organization(app.0, request, &name.0).await)
}

async fn shown_organization(app: &Arc<App>, request: &Request, name: &str) -> Result<Response> {
    let (row, rights) = Visit::of(app, request).await?.organization(name).await?;
    Ok(resource(StatusCode::OK, &organization_of(&row, rights)))
}

fn organization_of(row: &organization::Model, rights: Rights) -> Value {
    json!({
        "id": row.name,
        "type": "organizations",
        "attributes": {
            "name": row.name,
            "external-id": row.id,
            "created-at": time(row.created_at),
            "email": null,
            "default-execution-mode": row.execution_mode.as_deref().unwrap_or("remote"),
            "permissions": {
                "can-update": rights.organization,
                "can-destroy": false,
                "can-create-workspace": rights.workspaces,
                "can-create-project": rights.workspaces,
                "can-create-team": rights.teams,
                "can-manage-tags": rights.workspaces,
            },
        },
        "relationships": {"entitlement-set": {"data": {"id": row.id, "type": "entitlement-sets"}}},
    })
}

#[handler]
async fn entitlements(app: Data<&Arc<App>>, request: &Request, name: Path<String>) -> Response {
    answered(entitlement_set(app.0, request, &name.0).await)
}

/// Without `operations`, programs run everything locally, without a word.
async fn entitlement_set(app: &Arc<App>, request: &Request, name: &str) -> Result<Response> {
    let row = StateVisit::of(app, request).await?.organization(name).await?;
    let data = json!({
        "id": row.id,
        "type": "entitlement-sets",
        "attributes": {
            "operations": true,
            "state-storage": true,
            "teams": true,
            "vcs-integrations": true,
            "agents": false,
            "cost-estimation": false,
            "policy-enforcement": false,
            "private-module-registry": false,
            "run-tasks": false,
            "sentinel": false,
            "sso": true,
        },
    });
    Ok(resource(StatusCode::OK, &data))
}
