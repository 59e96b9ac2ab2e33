//! The states of environments: /environment/{environmentId}/status and related paths.

use std::sync::Arc;

use entity::environment;
use entity::id::{EnvironmentId, ProjectId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::visible::visible;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::status::{self, EnvironmentStatus, EnvironmentStatuses, EnvironmentStatusesWithStages, Status};
use crate::api::tag::Tag;
use crate::api::wire::{Json, JsonStream, Results, Success};
use crate::app::App;
use crate::error::Result;

pub(in crate::api) struct EnvironmentStatusApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentStatusApi {
    #[oai(path = "/environment/:environmentId/status", method = "get", operation_id = "getEnvironmentStatus", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_status(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<EnvironmentStatus>> {
        let row = self.load(&auth, environment_id).await?;
        Ok(Json(status::of_environment(&self.0.db, row.id).await?))
    }

    #[oai(path = "/environment/:environmentId/statuses", method = "get", operation_id = "getEnvironmentStatuses", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_statuses(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<JsonStream<EnvironmentStatuses>> {
        let row = self.load(&auth, environment_id).await?;
        Ok(JsonStream::new(status::of_all(&self.0.db, &row).await?.into_stream()))
    }

    #[oai(path = "/environment/:environmentId/statusesWithStages", method = "get", operation_id = "getEnvironmentStatusesWithStages", tag = Tag::EnvironmentMainCalls)]
    async fn get_environment_statuses_with_stages(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<JsonStream<EnvironmentStatusesWithStages>> {
        let row = self.load(&auth, environment_id).await?;
        Ok(JsonStream::new(status::with_stages(&self.0.db, &row).await?.into_stream()))
    }

    #[oai(path = "/environment/:environmentId/job/status", method = "get", operation_id = "getEnvironmentJobStatus", tag = Tag::Jobs)]
    async fn get_environment_job_status(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<JsonStream<Results<Status>>> {
        let row = self.load(&auth, environment_id).await?;
        Ok(JsonStream::new(status::of_jobs(&self.0.db, &row).await?.into_stream()))
    }

    #[oai(path = "/project/:projectId/environment/status", method = "get", operation_id = "getProjectEnvironmentsStatus", tag = Tag::Environments)]
    async fn get_project_environments_status(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Results<EnvironmentStatus>>> {
        let project = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        let rows = visible(&self.0, &auth, &project).await?;
        Ok(Json(Results { results: status::of_environments(&self.0.db, &rows).await? }))
    }
}

impl EnvironmentStatusApi {
    async fn load(&self, auth: &Auth, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, Action::View, EnvironmentId(id.0)).await
    }
}
