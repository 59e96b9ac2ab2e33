//! Configurations: the files of a workspace as somebody has them on their machine, uploaded for runs.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::configuration_version::{self, ConfigurationStatus};
use entity::id::{ConfigurationVersionId, OrganizationId, WorkspaceId};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post, put};
use sea_orm::ActiveEnum as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{Given, one, resource, time};
use super::sealed_address;
use crate::access::{principal, require_right};
use crate::app::App;
use crate::engine::uploaded_configuration::receive;
use crate::engine::workspace::rights_of;
use crate::error::Error;
use crate::store;

/// The kind of the addresses of uploads.
const KIND: &str = "configuration";

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/workspaces/:id/configuration-versions", guarded(post(create)))
        .at("/api/v2/configuration-versions/:id", guarded(get(read)))
        .at("/api/v2/sealed/configuration/:secret", guarded(put(upload)))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ConfigurationRequest {
    auto_queue_runs: Option<bool>,
    #[serde(default)]
    speculative: bool,
    #[serde(default)]
    provisional: bool,
}

/// What the address of an upload is about.
#[derive(Serialize, Deserialize)]
struct UploadAddress {
    configuration: ConfigurationVersionId,
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: String,
}

#[handler]
async fn create(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    answered(created(app.0, request, &id.0, body).await)
}

async fn created(app: &Arc<App>, request: &Request, id: &str, body: Body) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.plan)?;
    let given: Given<ConfigurationRequest> = one(request, body, "configuration-versions").await?;
    let ConfigurationRequest { auto_queue_runs, speculative, provisional } = given.attributes;
    if auto_queue_runs != Some(false) {
        let text =
            "data.attributes.auto-queue-runs: must be false; start the run with POST /api/v2/runs after the upload";
        return Err(Problem::invalid(text));
    }
    if speculative && provisional {
        return Err(Problem::invalid("data.attributes.provisional: must be false if speculative is true"));
    }
    let SeenWorkspace { row: workspace, .. } = &seen;
    let row = configuration_version::Model {
        id: ConfigurationVersionId::create(),
        organization_id: workspace.organization_id,
        workspace_id: workspace.id,
        created_at: visit.now,
        created_by: visit.author().to_owned(),
        speculative,
        provisional,
        status: ConfigurationStatus::Pending,
        error: None,
        bytes: 0,
        pieces: 0,
    };
    let stored = &row;
    store::write(&app.db, async |tx| store::row::create(tx, stored.clone()).await.map_err(Error::from)).await?;
    Ok(resource(StatusCode::CREATED, &shown(&visit, &row)?))
}

#[handler]
async fn read(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (row, _) = configuration(&visit, &id.0).await?;
        Ok(resource(StatusCode::OK, &shown(&visit, &row)?))
    };
    answered(answer.await)
}

/// A configuration of a workspace that the caller sees.
pub(super) async fn configuration(visit: &Visit, id: &str) -> Result<(configuration_version::Model, SeenWorkspace)> {
    let missing = || Problem::missing("configuration version");
    let id = id.parse().map(ConfigurationVersionId).map_err(|_| missing())?;
    let row = store::row::by_id::<configuration_version::Model>(&visit.app.db, id).await?.ok_or_else(missing)?;
    let seen = visit.workspace(&row.workspace_id.to_string()).await.map_err(|_| missing())?;
    Ok((row, seen))
}

/// A configuration. While it waits for its files, it has the address for them.
fn shown(visit: &Visit, row: &configuration_version::Model) -> Result<Value> {
    let address = match row.status {
        ConfigurationStatus::Uploaded => None,
        ConfigurationStatus::Pending | ConfigurationStatus::Errored => {
            let about = UploadAddress {
                configuration: row.id,
                organization: row.organization_id,
                workspace: row.workspace_id,
                principal: principal::stored(&visit.caller),
            };
            Some(sealed_address::create(visit, KIND, about, TimeDelta::hours(1))?)
        }
    };
    Ok(json!({
        "id": row.id,
        "type": "configuration-versions",
        "attributes": {
            "status": row.status.to_value(),
            "error": row.error.as_ref().map(|_| "invalid-upload"),
            "error-message": row.error,
            "source": "tfe-api",
            "auto-queue-runs": false,
            "speculative": row.speculative,
            "provisional": row.provisional,
            "created-at": time(row.created_at),
            "upload-url": address,
        },
    }))
}

#[handler]
async fn upload(app: Data<&Arc<App>>, secret: Path<String>, body: Body) -> Response {
    let answer = async {
        let about: UploadAddress = sealed_address::open(app.0, KIND, &secret.0, app.clock.now())?;
        let rights = rights_of(&app.db, Some(&about.principal), (about.organization, about.workspace)).await?;
        require_right(rights.plan)?;
        receive(app.0, about.configuration, body.into_bytes_stream()).await?;
        Ok(Response::builder().status(StatusCode::OK).finish())
    };
    answered(answer.await)
}
