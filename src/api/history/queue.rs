//! /environment/{environmentId}/deploymentQueue and /service/{serviceId}/deploymentQueue: queued deployments.

use std::sync::Arc;

use entity::deployment::{self, Progress};
use entity::id::{EnvironmentId, JobId};
use entity::{deployment_job, job};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::response::DeploymentHistoryTriggerAction;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::job::{JobTypeEnum, ServiceTypeEnum};
use crate::api::status::{self, EventOriginEnum, StageStatusEnum, StatusDetails};
use crate::api::tag::Tag;
use crate::api::wire::{Json, Results, Success};
use crate::app::App;
use crate::engine::state::{DeploymentParts, doing};
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedAuditingData {
    triggered_by: String,
    origin: EventOriginEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedIdentifier {
    deployment_request_id: Uuid,
    environment_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedServiceIdentifier {
    service_id: Uuid,
    service_type: ServiceTypeEnum,
    name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedDetails {
    job_type: JobTypeEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedService {
    identifier: QueuedServiceIdentifier,
    status: StageStatusEnum,
    icon_uri: String,
    details: QueuedDetails,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedStage {
    name: String,
    status: StageStatusEnum,
    services: Vec<QueuedService>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedDeploymentRequestWithStages {
    identifier: QueuedIdentifier,
    auditing_data: QueuedAuditingData,
    trigger_action: DeploymentHistoryTriggerAction,
    stages: Vec<QueuedStage>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ServiceRequestIdentifier {
    deployment_request_id: Uuid,
    service_id: Uuid,
    service_type: ServiceTypeEnum,
    name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct QueuedDeploymentRequestForService {
    identifier: ServiceRequestIdentifier,
    auditing_data: QueuedAuditingData,
    status_details: StatusDetails,
    icon_uri: String,
}

pub(in crate::api) struct QueueApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl QueueApi {
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
        let parts = DeploymentParts::read(&self.0, &rows).await?;
        Ok(Json(Results { results: rows.iter().map(|deployment| queued(deployment, &parts)).collect() }))
    }

    #[oai(path = "/service/:serviceId/deploymentQueue", method = "get", operation_id = "listDeploymentRequestByServiceId", tag = Tag::EnvironmentMainCalls)]
    async fn list_deployment_request_by_service_id(
        &self,
        auth: Auth,
        #[oai(name = "serviceId")] service_id: Path<Uuid>,
    ) -> Result<Success<Results<QueuedDeploymentRequestForService>>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(service_id.0)).await?;
        let parts = store::deployment::list_queued_parts(&self.0.db, job.id).await?;
        let answer = |(part, deployment): &store::deployment::Part| QueuedDeploymentRequestForService {
            identifier: ServiceRequestIdentifier {
                deployment_request_id: deployment.id.0,
                service_id: job.id.0,
                service_type: ServiceTypeEnum::Job,
                name: job.name.clone(),
            },
            auditing_data: queued_auditing(deployment),
            status_details: status::details(Some((part, deployment)), doing(part)),
            icon_uri: job.spec.icon_uri.clone(),
        };
        Ok(Json(Results { results: parts.iter().map(answer).collect() }))
    }
}

fn queued(deployment: &deployment::Model, parts: &DeploymentParts) -> QueuedDeploymentRequestWithStages {
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
        identifier: QueuedIdentifier {
            deployment_request_id: deployment.id.0,
            environment_id: deployment.environment_id.0,
        },
        auditing_data: queued_auditing(deployment),
        trigger_action: deployment.action.into(),
        stages: parts.stages(deployment.id).into_iter().map(stage).collect(),
    }
}

fn queued_auditing(deployment: &deployment::Model) -> QueuedAuditingData {
    QueuedAuditingData { triggered_by: deployment.triggered_by.clone(), origin: deployment.origin.into() }
}
