//! /environment/{environmentId}/logs and /environment/{environmentId}/log: the logs of deployments.

use std::sync::Arc;

use entity::deployment::{self, Action as DeploymentAction, Progress};
use entity::environment;
use entity::id::{DeploymentId, EnvironmentId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::log_entry::EnvironmentLogs;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::execution_id;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Results, Success, Timestamp};
use crate::app::App;
use crate::engine::state::{action_noun, deployment_log};
use crate::error::Result;
use crate::store;

/// The length of a UUID as text.
const UUID: usize = 36;

/// Number of deployments in the older list.
const DEPLOYMENTS: u64 = 20;

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum EnvironmentLogTypeEnum {
    Environment,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum StatusKindEnum {
    Canceled,
    Canceling,
    Deleted,
    DeleteError,
    DeleteInProgress,
    Deployed,
    DeploymentError,
    DeploymentInProgress,
    Paused,
    PauseError,
    PauseInProgress,
    Waiting,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogScope {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: EnvironmentLogTypeEnum,
    name: String,
    id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentLog {
    id: Uuid,
    created_at: Timestamp,
    scope: LogScope,
    state: StatusKindEnum,
    message: Option<String>,
    execution_id: String,
}

pub(in crate::api) struct DeploymentLogApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl DeploymentLogApi {
    #[oai(path = "/environment/:environmentId/logs", method = "get", operation_id = "listEnvironmentLogs", tag = Tag::EnvironmentLogs)]
    async fn list_environment_logs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        version: Query<Option<String>>,
    ) -> Result<Success<Vec<EnvironmentLogs>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(deployment_log_entries(&self.0, &environment, version.0.as_deref()).await?))
    }

    #[oai(path = "/environment/:environmentId/log", method = "get", operation_id = "listEnvironmentLog", tag = Tag::EnvironmentLogs)]
    async fn list_environment_log(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<EnvironmentLog>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let rows = store::deployment::list_newest(&self.0.db, environment.id, None, DEPLOYMENTS).await?;
        let answer = |row: deployment::Model| EnvironmentLog {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            scope: LogScope {
                kind: EnvironmentLogTypeEnum::Environment,
                name: environment.name.clone(),
                id: environment.id.0,
            },
            state: status_kind(&row),
            message: Some(format!("{} by {}", action_noun(row.action), row.triggered_by)),
            execution_id: execution_id(&row),
        };
        Ok(Json(Results { results: rows.into_iter().map(answer).collect() }))
    }
}

/// The log of a deployment: the newest one, or the one with the id `version`, in either of its forms.
pub(in crate::api) async fn deployment_log_entries(
    app: &App,
    environment: &environment::Model,
    version: Option<&str>,
) -> Result<Vec<EnvironmentLogs>> {
    let row = match version {
        Some(version) => by_version(app, environment, version).await?,
        None => store::deployment::newest_by_environment(&app.db, environment.id).await?,
    };
    let Some(row) = row else { return Ok(Vec::new()) };
    let entries = deployment_log(app, environment, &row).await?;
    Ok(entries.into_iter().map(|entry| EnvironmentLogs::new(entry, environment, &row)).collect())
}

/// Finds a deployment by its execution id, or by its plain id, as the first format of the history returns it.
async fn by_version(app: &App, environment: &environment::Model, version: &str) -> Result<Option<deployment::Model>> {
    let id = version.get(..UUID).and_then(|id| id.parse().ok()).map(DeploymentId);
    let Some(id) = id else { return Ok(None) };
    let row = store::row::by_id::<deployment::Model>(&app.db, id).await?;
    let names_it = |row: &deployment::Model| version.len() == UUID || execution_id(row) == version;
    Ok(row.filter(|row| row.environment_id == environment.id && names_it(row)))
}

fn status_kind(row: &deployment::Model) -> StatusKindEnum {
    match (row.action, row.progress) {
        (_, Progress::Queued) => StatusKindEnum::Waiting,
        (_, Progress::Running) if row.cancel_requested_at.is_some() => StatusKindEnum::Canceling,
        (_, Progress::Cancelled) => StatusKindEnum::Canceled,
        (DeploymentAction::Deploy, Progress::Running) => StatusKindEnum::DeploymentInProgress,
        (DeploymentAction::Deploy, Progress::Succeeded) => StatusKindEnum::Deployed,
        (DeploymentAction::Deploy, Progress::Failed) => StatusKindEnum::DeploymentError,
        (DeploymentAction::Stop, Progress::Running) => StatusKindEnum::PauseInProgress,
        (DeploymentAction::Stop, Progress::Succeeded) => StatusKindEnum::Paused,
        (DeploymentAction::Stop, Progress::Failed) => StatusKindEnum::PauseError,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Running) => StatusKindEnum::DeleteInProgress,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Succeeded) => StatusKindEnum::Deleted,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Failed) => StatusKindEnum::DeleteError,
    }
}
