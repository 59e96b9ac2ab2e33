//! The order of deployment stages: /deploymentStage/{deploymentStageId}/moveAfter and /moveBefore.

use std::sync::Arc;

use entity::id::StageId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::response::{DeploymentStageResponse, change, list_response};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Json, Results, Success};
use crate::api::{audit, tag::Tag};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

pub(in crate::api) struct StageOrderApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl StageOrderApi {
    #[oai(path = "/deploymentStage/:deploymentStageId/moveAfter/:stageId", method = "put", operation_id = "MoveAfterDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn move_after_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
        #[oai(name = "stageId")] stage_id: Path<Uuid>,
    ) -> Result<Success<Results<DeploymentStageResponse>>> {
        self.move_to(&auth, StageId(deployment_stage_id.0), Side::After, StageId(stage_id.0)).await
    }

    #[oai(path = "/deploymentStage/:deploymentStageId/moveBefore/:stageId", method = "put", operation_id = "MoveBeforeDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn move_before_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
        #[oai(name = "stageId")] stage_id: Path<Uuid>,
    ) -> Result<Success<Results<DeploymentStageResponse>>> {
        self.move_to(&auth, StageId(deployment_stage_id.0), Side::Before, StageId(stage_id.0)).await
    }
}

impl StageOrderApi {
    async fn move_to(
        &self,
        auth: &Auth,
        id: StageId,
        side: Side,
        other: StageId,
    ) -> Result<Success<Results<DeploymentStageResponse>>> {
        let (stage, environment) = access::stage(&self.0.db, &auth.0, Action::Manage, id).await?;
        let (other, of_other) = access::stage(&self.0.db, &auth.0, Action::Manage, other).await?;
        if of_other.id != environment.id {
            return Err(Error::invalid("stageId", "is a stage of another environment"));
        }
        let now = self.0.clock.now();
        audit::write(&self.0, auth, environment.organization_id, async |tx| {
            store::environment::lock(tx, environment.id).await?;
            let mut order: Vec<_> = store::stage::list(tx, environment.id).await?.iter().map(|row| row.id).collect();
            if stage.id != other.id {
                order.retain(|row| *row != stage.id);
                let place = order.iter().position(|row| *row == other.id).unwrap_or(0);
                let place = match side {
                    Side::Before => place,
                    Side::After => place + 1,
                };
                order.insert(place.min(order.len()), stage.id);
            }
            store::stage::reorder(tx, &order, now).await?;
            Ok(((), change("UPDATE", &environment).after(&order)))
        })
        .await?;
        Ok(Json(list_response(&self.0.db, environment.id).await?))
    }
}
