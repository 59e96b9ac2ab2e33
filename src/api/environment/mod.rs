//! Environments: /project/{projectId}/environment and /environment/{environmentId}.

pub(super) mod action;
pub(super) mod clone;
pub(super) mod deployment_log;
pub(super) mod deployment_rule;
pub(super) mod environment_status;
pub(super) mod export;
mod log_entry;
pub(super) mod organization_overview;
pub(super) mod overview;
mod request;
mod response;
mod visible;

pub(super) use self::response::EnvironmentModeEnum;

use std::sync::Arc;

use entity::environment::{self, Mode};
use entity::id::{ClusterId, EnvironmentId, ProjectId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::request::{CreateEnvironmentRequest, EnvironmentEditRequest};
use self::response::{Environment, environment_response};
use self::visible::visible;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::app::App;
use crate::engine::command::{self, Removal};
use crate::engine::limits;
use crate::engine::new_environment::{self, NewEnvironment};
use crate::error::Result;
use crate::store;

pub(in crate::api) struct EnvironmentApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentApi {
    #[oai(path = "/project/:projectId/environment", method = "get", operation_id = "listEnvironment", tag = Tag::Environments)]
    async fn list_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Results<Environment>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let clusters = store::cluster::list_by_organization(&self.0.db, project.organization_id).await?;
        let rows = visible(&self.0, &auth, &project).await?;
        let results = rows.into_iter().map(|row| {
            let cluster = clusters.iter().find(|cluster| cluster.id == row.cluster_id);
            let name = cluster.map(|cluster| cluster.name.clone()).unwrap_or_default();
            environment_response(row, name)
        });
        Ok(Json(Results { results: results.collect() }))
    }

    #[oai(path = "/project/:projectId/environment", method = "post", operation_id = "createEnvironment", tag = Tag::Environments)]
    async fn create_environment(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<CreateEnvironmentRequest>,
    ) -> Result<Created<Environment>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let CreateEnvironmentRequest { name, cluster, mode } = body.0;
        let (cluster, mode) = (cluster.map(ClusterId), mode.map(Mode::from));
        let new = NewEnvironment::of(&self.0, &project, &name, cluster, mode).await?;
        access::new_environment(&auth.0, &project, new.mode, new.cluster_id())?;
        let (row, cluster) = new_environment::create(&self.0, &auth.requester(), &project, new).await?;
        Ok(Json(environment_response(row, cluster)))
    }

    #[oai(path = "/environment/:environmentId", method = "get", operation_id = "getEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Environment>> {
        let row = self.load(&auth, Action::View, environment_id).await?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "put", operation_id = "editEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn edit_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<EnvironmentEditRequest>,
    ) -> Result<Success<Environment>> {
        let row = self.load(&auth, Action::Manage, environment_id).await?;
        let EnvironmentEditRequest { name, mode } = body.0;
        // A name that is not valid is reported before a mode that is not allowed.
        name.as_deref().map(|name| limits::name("name", name)).transpose()?;
        let mode = mode.map(Mode::from);
        access::environment_mode(&auth.0, &row, mode)?;
        let row = new_environment::edit(&self.0, &auth.requester(), row.id, name.as_deref(), mode).await?;
        self.answer(row).await
    }

    #[oai(path = "/environment/:environmentId", method = "delete", operation_id = "deleteEnvironment", tag = Tag::EnvironmentMainCalls)]
    async fn delete_environment(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "skipReconcile", default)] skip_reconcile: Query<bool>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::Manage, environment_id).await?;
        let removal = if skip_reconcile.0 { Removal::RowsOnly } else { Removal::Complete };
        command::delete_environment(&self.0, &auth.requester(), row.id, removal).await?;
        Ok(EmptyResponse)
    }
}

impl EnvironmentApi {
    async fn load(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }

    async fn answer(&self, row: environment::Model) -> Result<Success<Environment>> {
        let cluster = store::environment::cluster_of(&self.0.db, &row).await?;
        Ok(Json(environment_response(row, cluster.name)))
    }
}
