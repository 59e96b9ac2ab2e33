//! The deployment history of jobs and environments, in both official formats.

mod builds;
pub(super) mod commit;
mod history_parts;
pub(super) mod queue;
mod response;
mod v1;
mod v2;
mod v2_response;

use std::sync::Arc;

use entity::deployment;
use entity::id::{DeploymentId, EnvironmentId, JobId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::builds::Builds;
use self::history_parts::HistoryParts;
use self::response::Page;
use self::v1::{DeploymentHistoryEnvironment, DeploymentHistoryJobResponse, job_history_v1};
use self::v2::{environment_history_v2, job_history_v2};
use self::v2_response::{DeploymentHistoryEnvironmentV2, DeploymentHistoryService};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Json, Success, Timestamp};
use crate::api::{status, tag::Tag};
use crate::app::App;
use crate::engine::limits;
use crate::error::Result;
use crate::store;

/// Default number of deployments in a history (official default).
const PAGE: i32 = 20;

const MOST: i32 = 100;

pub(in crate::api) struct HistoryApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl HistoryApi {
    #[oai(path = "/job/:jobId/deploymentHistory", method = "get", operation_id = "listJobDeploymentHistory", tag = Tag::JobDeploymentHistory)]
    async fn list_job_deployment_history(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<Page<DeploymentHistoryJobResponse>>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let parts = store::deployment::list_newest_parts(&self.0.db, job.id, u64::from(PAGE.unsigned_abs())).await?;
        let builds = Builds::read(&self.0.db, parts.iter().map(|(part, _)| part)).await?;
        let results = parts.iter().map(|(part, deployment)| job_history_v1(part, deployment, &job, &builds)).collect();
        Ok(Json(Page { page: 1, page_size: PAGE, results }))
    }

    #[oai(path = "/job/:jobId/deploymentHistoryV2", method = "get", operation_id = "listJobDeploymentHistoryV2", tag = Tag::JobDeploymentHistory)]
    async fn list_job_deployment_history_v2(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "pageSize", default = "page")] page_size: Query<i32>,
    ) -> Result<Success<Page<DeploymentHistoryService>>> {
        let page_size = limits::between("pageSize", page_size.0, 1, MOST)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let parts =
            store::deployment::list_newest_parts(&self.0.db, job.id, u64::from(page_size.unsigned_abs())).await?;
        let now = self.0.clock.now();
        let builds = Builds::read(&self.0.db, parts.iter().map(|(part, _)| part)).await?;
        let results =
            parts.iter().map(|(part, deployment)| job_history_v2(part, deployment, (&job, &builds), now)).collect();
        Ok(Json(Page { page: 1, page_size, results }))
    }

    #[oai(path = "/environment/:environmentId/deploymentHistory", method = "get", operation_id = "listEnvironmentDeploymentHistory", tag = Tag::EnvironmentDeploymentHistory)]
    async fn list_environment_deployment_history(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "startId")] start_id: Query<Option<Uuid>>,
    ) -> Result<Success<Page<DeploymentHistoryEnvironment>>> {
        let before = start_id.0.map(DeploymentId);
        let (rows, parts) = self.read(&auth, environment_id.0, before, PAGE).await?;
        let answer = |deployment: &deployment::Model| DeploymentHistoryEnvironment {
            id: deployment.id.0,
            created_at: Timestamp(deployment.created_at),
            updated_at: Timestamp(deployment.updated_at),
            status: status::of_deployment(deployment),
            origin: deployment.origin.into(),
            triggered_by: deployment.triggered_by.clone(),
            jobs: parts
                .parts
                .of(deployment.id)
                .map(|(part, job)| job_history_v1(part, deployment, job, &parts.builds))
                .collect(),
        };
        Ok(Json(Page { page: 1, page_size: PAGE, results: rows.iter().map(answer).collect() }))
    }

    #[oai(path = "/environment/:environmentId/deploymentHistoryV2", method = "get", operation_id = "listEnvironmentDeploymentHistoryV2", tag = Tag::EnvironmentDeploymentHistory)]
    async fn list_environment_deployment_history_v2(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "pageSize", default = "page")] page_size: Query<i32>,
    ) -> Result<Success<Page<DeploymentHistoryEnvironmentV2>>> {
        let page_size = limits::between("pageSize", page_size.0, 1, MOST)?;
        let (rows, parts) = self.read(&auth, environment_id.0, None, page_size).await?;
        let now = self.0.clock.now();
        let results = rows.iter().map(|deployment| environment_history_v2(deployment, &parts, now)).collect();
        Ok(Json(Page { page: 1, page_size, results }))
    }
}

fn page() -> i32 {
    PAGE
}

impl HistoryApi {
    async fn read(
        &self,
        auth: &Auth,
        environment: Uuid,
        before: Option<DeploymentId>,
        limit: i32,
    ) -> Result<(Vec<deployment::Model>, HistoryParts)> {
        let id = EnvironmentId(environment);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let limit = u64::from(limit.unsigned_abs());
        let rows = store::deployment::list_newest(&self.0.db, environment.id, before, limit).await?;
        let parts = HistoryParts::read(&self.0, &rows).await?;
        Ok((rows, parts))
    }
}
