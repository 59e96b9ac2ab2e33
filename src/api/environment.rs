//! /project/{projectId}/environment and /environment/{environmentId}, with the actions on it.

use std::sync::Arc;

use entity::deployment::Action as DeploymentAction;
use entity::environment;
use entity::environment::Mode;
use entity::id::{ClusterId, EnvironmentId, ProjectId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::caller::Auth;
use super::limits;
use super::status::{self, EnvironmentStatus, EnvironmentStatuses, Status};
use super::wire::{Accepted, Answer, Body, Created, Found, Gone, ReferenceObject, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::error::{Error, Result};
use crate::store;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum EnvironmentModeEnum {
    Development,
    Preview,
    Production,
    Staging,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum CreateEnvironmentModeEnum {
    Development,
    Production,
    Staging,
}

impl From<CreateEnvironmentModeEnum> for Mode {
    fn from(mode: CreateEnvironmentModeEnum) -> Self {
        match mode {
            CreateEnvironmentModeEnum::Development => Self::Development,
            CreateEnvironmentModeEnum::Production => Self::Production,
            CreateEnvironmentModeEnum::Staging => Self::Staging,
        }
    }
}

#[derive(Debug, Deserialize, Object)]
struct CreateEnvironmentRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    cluster: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    mode: Option<CreateEnvironmentModeEnum>,
}

#[derive(Debug, Deserialize, Object)]
struct EnvironmentEditRequest {
    #[serde(default)]
    #[oai(default)]
    name: Option<String>,
    #[serde(default)]
    #[oai(default)]
    mode: Option<CreateEnvironmentModeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentCloudProvider {
    provider: String,
    cluster: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Environment {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    organization: ReferenceObject,
    project: ReferenceObject,
    cloud_provider: EnvironmentCloudProvider,
    mode: EnvironmentModeEnum,
    cluster_id: Uuid,
    cluster_name: String,
}

fn answer(row: environment::Model, cluster_name: String) -> Environment {
    let environment::Model {
        id,
        organization_id,
        project_id,
        cluster_id,
        created_at,
        updated_at,
        name,
        name_key: _,
        mode,
    } = row;
    Environment {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        organization: ReferenceObject { id: organization_id.0 },
        project: ReferenceObject { id: project_id.0 },
        cloud_provider: EnvironmentCloudProvider { provider: "ON_PREMISE".into(), cluster: cluster_name.clone() },
        mode: match mode {
            Mode::Development => EnvironmentModeEnum::Development,
            Mode::Preview => EnvironmentModeEnum::Preview,
            Mode::Production => EnvironmentModeEnum::Production,
            Mode::Staging => EnvironmentModeEnum::Staging,
        },
        cluster_id: cluster_id.0,
        cluster_name,
    }
}

const TAKEN: &str = "an environment of this project already has this name";

/// The handlers.
pub(super) struct EnvironmentApi(pub(super) Arc<App>);

#[OpenApi]
impl EnvironmentApi {
    #[oai(path = "/project/:projectId/environment", method = "get", operation_id = "listEnvironment", tag = Tag::Environments)]
    async fn list_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Found<Results<Environment>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let rows = store::environment::list_by_project(&self.0.db, project.id).await?;
        let results = rows.into_iter().map(|row| {
            let cluster = clusters.iter().find(|cluster| cluster.id == row.cluster_id);
            let name = cluster.map(|cluster| cluster.name.clone()).unwrap_or_default();
            answer(row, name)
        });
        Ok(Answer(Results { results: results.collect() }))
    }

    #[oai(path = "/project/:projectId/environment", method = "post", operation_id = "createEnvironment", tag = Tag::Environments)]
    async fn create_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<CreateEnvironmentRequest>,
    ) -> Result<Created<Environment>> {
        let project = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        let CreateEnvironmentRequest { name, cluster, mode } = body.0;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let cluster = match cluster {
            Some(id) => clusters.into_iter().find(|row| row.id == ClusterId(id)),
            None => clusters.into_iter().next(),
        };
        let cluster = cluster.ok_or_else(|| Error::invalid("cluster", "is not a cluster of this organization"))?;
        let name = limits::name("name", &name)?;
        let now = self.0.clock.now();
        let row = environment::Model {
            id: EnvironmentId::create(),
            organization_id: project.organization_id,
            project_id: project.id,
            cluster_id: cluster.id,
            created_at: now,
            updated_at: now,
            name_key: entity::name_key(&name),
            name,
            mode: mode.map_or(Mode::Development, Mode::from),
        };
        let row = store::environment::create(&self.0.db, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
        Ok(Answer(answer(row, cluster.name)))
    }

    #[oai(path = "/environment/:environmentId", method = "get", operation_id = "getEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<Environment>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "put", operation_id = "editEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn edit_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<EnvironmentEditRequest>,
    ) -> Result<Found<Environment>> {
        let mut row = self.load(&auth, Action::Manage, environment_id).await?;
        let EnvironmentEditRequest { name, mode } = body.0;
        if let Some(name) = name {
            row.name = limits::name("name", &name)?;
            row.name_key = entity::name_key(&row.name);
        }
        if let Some(mode) = mode {
            row.mode = mode.into();
        }
        row.updated_at = self.0.clock.now();
        let row = store::environment::update(&self.0.db, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "delete", operation_id = "deleteEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn delete_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
    ) -> Result<Gone> {
        let row = self.load(&auth, Action::Manage, environment_id).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        command::delete_environment(&self.0, auth.requester(), row.id, removal).await?;
        Ok(Gone)
    }

    #[oai(path = "/environment/:environmentId/deploy", method = "post", operation_id = "deployEnvironment", tag = Tag::EnvironmentActions)]
    async fn deploy_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<Status>> {
        let row = self.load(&auth, Action::Deploy, environment_id).await?;
        let deployment =
            command::request_environment(&self.0, auth.requester(), row.id, DeploymentAction::Deploy).await?;
        Ok(Answer(status::of_request(&self.0.db, &deployment).await?))
    }

    #[oai(path = "/environment/:environmentId/stop", method = "post", operation_id = "stopEnvironment", tag = Tag::EnvironmentActions)]
    async fn stop_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Accepted<EnvironmentStatus>> {
        let row = self.load(&auth, Action::Deploy, environment_id).await?;
        command::request_environment(&self.0, auth.requester(), row.id, DeploymentAction::Stop).await?;
        Ok(Answer(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/environment/:environmentId/status", method = "get", operation_id = "getEnvironmentStatus", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_status(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<EnvironmentStatus>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/environment/:environmentId/statuses", method = "get", operation_id = "getEnvironmentStatuses", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_statuses(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<EnvironmentStatuses>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        Ok(Answer(status::of_all(&self.0.db, &row).await?))
    }
}

impl EnvironmentApi {
    async fn load(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }

    async fn answer(&self, row: environment::Model) -> Result<Found<Environment>> {
        let cluster = store::environment::cluster_of(&self.0.db, &row).await?;
        Ok(Answer(answer(row, cluster.name)))
    }
}
