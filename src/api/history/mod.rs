//! What was deployed, and what waits: the histories of jobs and environments in both official shapes, and the queues.

mod commit;
pub(super) mod durations;
mod schema;

use std::sync::Arc;

use entity::deployment::Progress;
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::{deployment, deployment_job, job};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::commit::Builds;
pub(super) use self::commit::Commit;
use self::schema::{
    DeploymentHistoryEnvironment, DeploymentHistoryEnvironmentV2, DeploymentHistoryJobResponse,
    DeploymentHistoryService, Page, Parts, QueuedDeploymentRequestForService, QueuedDeploymentRequestWithStages,
    QueuedDetails, QueuedIdentifier, QueuedService, QueuedServiceIdentifier, QueuedStage, ServiceRequestIdentifier,
    environment_v2, queued_auditing, v1, v2,
};
use super::caller::Auth;
use super::job::ServiceTypeEnum;
use super::limits;
use super::status;
use super::status::StageStatusEnum;
use super::tag::Tag;
use super::wire::{Json, Results, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::Result;
use crate::store;

/// How many deployments a history has, where nobody says otherwise (official default).
const PAGE: i32 = 20;
const MOST: i32 = 100;

/// The handlers.
pub(super) struct HistoryApi(pub(super) Arc<App>);

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
        let results = parts.iter().map(|(part, of)| v1(part, of, &job, &builds)).collect();
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
        let results = parts.iter().map(|(part, of)| v2(part, of, (&job, &builds), now)).collect();
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
        let answer = |of: &deployment::Model| DeploymentHistoryEnvironment {
            id: of.id.0,
            created_at: Timestamp(of.created_at),
            updated_at: Timestamp(of.updated_at),
            status: status::of_deployment(of),
            origin: of.origin.into(),
            triggered_by: of.triggered_by.clone(),
            jobs: parts.of(of.id).map(|(part, job)| v1(part, of, job, &parts.builds)).collect(),
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
        let results = rows.iter().map(|of| environment_v2(of, &parts, now)).collect();
        Ok(Json(Page { page: 1, page_size, results }))
    }

    #[oai(path = "/environment/:environmentId/deploymentQueue", method = "get", operation_id = "listDeploymentRequestByEnvironmentId", tag = Tag::EnvironmentMainCalls)]
    async fn list_deployment_request_by_environment_id(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<QueuedDeploymentRequestWithStages>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let mut rows = store::deployment::list_open(&self.0.db, environment.id).await?;
        rows.retain(|row| row.progress == Progress::Queued);
        let parts = Parts::read(&self.0, &rows).await?;
        Ok(Json(Results { results: rows.iter().map(|of| queued(of, &parts)).collect() }))
    }

    #[oai(path = "/service/:serviceId/deploymentQueue", method = "get", operation_id = "listDeploymentRequestByServiceId", tag = Tag::EnvironmentMainCalls)]
    async fn list_deployment_request_by_service_id(
        &self,
        auth: Auth,
        #[oai(name = "serviceId")] service_id: Path<Uuid>,
    ) -> Result<Success<Results<QueuedDeploymentRequestForService>>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(service_id.0)).await?;
        let parts = store::deployment::list_queued_parts(&self.0.db, job.id).await?;
        let answer = |(part, of): &store::deployment::Part| QueuedDeploymentRequestForService {
            identifier: ServiceRequestIdentifier {
                deployment_request_id: of.id.0,
                service_id: job.id.0,
                service_type: ServiceTypeEnum::Job,
                name: job.name.clone(),
            },
            auditing_data: queued_auditing(of),
            status_details: status::details(Some((part, of)), durations::doing(part)),
            icon_uri: job.spec.icon_uri.clone(),
        };
        Ok(Json(Results { results: parts.iter().map(answer).collect() }))
    }
}

fn page() -> i32 {
    PAGE
}

fn queued(of: &deployment::Model, parts: &Parts) -> QueuedDeploymentRequestWithStages {
    let service = |job: &job::Model| QueuedService {
        identifier: QueuedServiceIdentifier {
            service_id: job.id.0,
            service_type: ServiceTypeEnum::Job,
            name: job.name.clone(),
        },
        status: StageStatusEnum::Queued,
        icon_uri: job.spec.icon_uri.clone(),
        details: QueuedDetails { job_type: job.job_type.into() },
    };
    let stage = |(name, of_stage): (String, Vec<(&deployment_job::Model, &job::Model)>)| QueuedStage {
        name,
        status: StageStatusEnum::Queued,
        services: of_stage.into_iter().map(|(_, job)| service(job)).collect(),
    };
    QueuedDeploymentRequestWithStages {
        identifier: QueuedIdentifier { deployment_request_id: of.id.0, environment_id: of.environment_id.0 },
        auditing_data: queued_auditing(of),
        trigger_action: of.action.into(),
        stages: parts.stages(of.id).into_iter().map(stage).collect(),
    }
}

impl HistoryApi {
    async fn read(
        &self,
        auth: &Auth,
        environment: Uuid,
        before: Option<DeploymentId>,
        limit: i32,
    ) -> Result<(Vec<deployment::Model>, Parts)> {
        let id = EnvironmentId(environment);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let limit = u64::from(limit.unsigned_abs());
        let rows = store::deployment::list_newest(&self.0.db, environment.id, before, limit).await?;
        let parts = Parts::read(&self.0, &rows).await?;
        Ok((rows, parts))
    }
}
