//! The groups of the caller, and their permissions in an organization or workspace.

use std::sync::Arc;

use entity::id::{OrganizationId, WorkspaceId};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler};
use serde_json::json;
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::{answered, guarded, json_response};
use super::session::Session;
use crate::access::reach::Rights;
use crate::app::App;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/access-token/v1/teams/current-teams", guarded(get(current)))
        .at("/access-token/v1/teams/permissions/organization/:organization", guarded(get(permissions)))
        .at(
            "/access-token/v1/teams/permissions/organization/:organization/workspace/:workspace",
            guarded(get(permissions_of)),
        )
}

#[handler]
async fn current(app: Data<&Arc<App>>, request: &Request) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            Ok(json_response(StatusCode::ACCEPTED, &json!({"groups": session.caller.identity.groups})))
        }
        .await,
    )
}

fn rights_response(rights: Rights) -> Result<Response> {
    if !rights.view {
        return Err(Problem::new(StatusCode::NOT_FOUND, "Unknown identifier for organization"));
    }
    let body = json!({
        "manageState": rights.states,
        "manageWorkspace": rights.workspaces,
        "manageModule": rights.modules,
        "manageProvider": rights.providers,
        "manageTemplate": rights.templates,
        "manageVcs": rights.logins,
        "manageCollection": false,
        "manageJob": rights.plan || rights.approve,
        "planJob": rights.plan,
        "approveJob": rights.approve,
        "managePermission": rights.teams,
    });
    Ok(json_response(StatusCode::ACCEPTED, &body))
}

#[handler]
async fn permissions(app: Data<&Arc<App>>, request: &Request, id: Path<Uuid>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            rights_response(session.reach.in_organization(OrganizationId(id.0)))
        }
        .await,
    )
}

#[handler]
async fn permissions_of(app: Data<&Arc<App>>, request: &Request, ids: Path<(Uuid, Uuid)>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let (organization, workspace) = ids.0;
            rights_response(session.reach.in_workspace(OrganizationId(organization), WorkspaceId(workspace)))
        }
        .await,
    )
}
