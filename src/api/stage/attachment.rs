//! The stage of a service.

use std::sync::Arc;

use entity::id::{JobId, StageId};
use entity::{stage, stage_job};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::response::{
    DeploymentStageResponse, DeploymentStageServiceResponse, PART, list_response, stored_stage_response,
};
use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Json, Results, Success};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct AttachRequest {
    is_skipped: Option<bool>,
}

pub(in crate::api) struct StageAttachmentApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl StageAttachmentApi {
    #[oai(path = "/deploymentStage/:deploymentStageId/service/:serviceId", method = "put", operation_id = "AttachServiceToDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn attach_service_to_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
        #[oai(name = "serviceId")] service_id: Path<Uuid>,
        body: Body<AttachRequest>,
    ) -> Result<Success<Results<DeploymentStageResponse>>> {
        let id = StageId(deployment_stage_id.0);
        let (stage, environment) = access::stage(&self.0.db, &auth.0, Action::Manage, id).await?;
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(service_id.0)).await?;
        if job.environment_id != environment.id {
            return Err(Error::invalid("serviceId", "is not in the same environment as the stage"));
        }
        let now = self.0.clock.now();
        let is_skipped = body.0.is_skipped.unwrap_or(false);
        audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            let row =
                stage_job::Model { job_id: job.id, stage_id: stage.id, created_at: now, updated_at: now, is_skipped };
            let after = DeploymentStageServiceResponse::from(&row);
            store::stage::attach(tx, row).await?;
            let change = Change::update("JOB", job.id.0, &job.name).of_environment(&environment).part(PART);
            Ok(((), change.after(&after)))
        })
        .await?;
        Ok(Json(list_response(&self.0.db, environment.id).await?))
    }

    #[oai(path = "/service/:serviceId/deploymentStage", method = "get", operation_id = "getServiceDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn get_service_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "serviceId")] service_id: Path<Uuid>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(service_id.0)).await?;
        let place = store::stage::place(&self.0.db, job.id).await?.ok_or(Error::NotFound("deployment stage"))?;
        let row = store::row::by_id::<stage::Model>(&self.0.db, place.stage_id).await?;
        Ok(Json(stored_stage_response(&self.0.db, row.ok_or(Error::NotFound("deployment stage"))?).await?))
    }
}
