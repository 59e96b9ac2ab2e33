//! The drift of a workspace: what the newest plan found, and the jobs that accept it or revert it.

use std::sync::Arc;

use chrono::SecondsFormat;
use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler, post};
use serde_json::json;
use uuid::Uuid;

use super::change_document::resource;
use super::error::{Problem, Result};
use super::response::{answered, guarded, json_response};
use super::session::Session;
use crate::access::principal;
use crate::access::reach::Rights;
use crate::app::App;
use crate::engine::workspace_drift::{JobRequester, Settlement, found_drift, settle};
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/drift", guarded(get(read)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/drift/accept", guarded(post(accept)))
        .at("/tfstate/v1/organization/:organization/workspace/:workspace/drift/revert", guarded(post(revert)))
}

type Ids = Path<(Uuid, Uuid)>;

/// A workspace that the caller sees.
pub(super) async fn seen(session: &Session, (organization, id): (Uuid, Uuid)) -> Result<(workspace::Model, Rights)> {
    let (organization, id) = (OrganizationId(organization), WorkspaceId(id));
    let rights = session.reach.in_workspace(organization, id);
    let row = store::row::by_id::<workspace::Model>(&session.app.db, id).await?;
    let row = row.filter(|row| rights.view && row.organization_id == organization && !row.deleted);
    Ok((row.ok_or_else(|| Problem::unknown(&id.to_string(), "workspace"))?, rights))
}

#[handler]
async fn read(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    let answer = async {
        let session = Session::of(app.0, request).await?;
        let (row, _) = seen(&session, ids.0).await?;
        let found = found_drift(app.0, row.id).await?;
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = match found {
            None => json!({"drifted": false, "resources": []}),
            Some(found) => json!({
                "drifted": true,
                "since": time(found.since),
                "checkedAt": time(found.checked_at),
                "jobId": found.job,
                "count": found.count,
                "resources": found.resources.iter().map(resource).collect::<Vec<_>>(),
            }),
        };
        Ok(json_response(StatusCode::OK, &body))
    };
    answered(answer.await)
}

#[handler]
async fn accept(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    answered(started(app.0, request, ids.0, Settlement::Accept).await)
}

#[handler]
async fn revert(app: Data<&Arc<App>>, request: &Request, ids: Ids) -> Response {
    answered(started(app.0, request, ids.0, Settlement::Revert).await)
}

async fn started(app: &Arc<App>, request: &Request, ids: (Uuid, Uuid), settlement: Settlement) -> Result<Response> {
    let session = Session::of(app, request).await?;
    let (row, rights) = seen(&session, ids).await?;
    if !rights.plan || !rights.approve {
        return Err(Problem::denied("CreatePermission"));
    }
    let of = JobRequester {
        by: session.author().to_owned(),
        requester: Some(session.requester()),
        principal: Some(principal::stored(&session.caller)),
        rights,
        via: "API".to_owned(),
    };
    let job = settle(app, row.id, settlement, of).await?;
    Ok(json_response(StatusCode::CREATED, &json!({"jobId": job.id})))
}
