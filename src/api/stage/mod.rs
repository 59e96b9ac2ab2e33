//! Deployment stages: /environment/{environmentId}/deploymentStage and /deploymentStage/{deploymentStageId}.

pub(super) mod attachment;
pub(super) mod order;
mod response;

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{EnvironmentId, StageId};
use entity::stage;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use self::response::{DeploymentStageResponse, change, list_response, stage_response, stored_stage_response};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::wire::{Body, EmptyResponse, Json, NoContent, Results, Success};
use crate::api::{audit, tag::Tag};
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Deserialize, Object)]
struct DeploymentStageRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
}

const TAKEN: &str = "this environment already has a stage with this name";

pub(in crate::api) struct StageApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl StageApi {
    #[oai(path = "/environment/:environmentId/deploymentStage", method = "get", operation_id = "ListEnvironmentDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn list_environment_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<DeploymentStageResponse>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(list_response(&self.0.db, environment.id).await?))
    }

    #[oai(path = "/environment/:environmentId/deploymentStage", method = "post", operation_id = "CreateEnvironmentDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn create_environment_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<DeploymentStageRequest>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let DeploymentStageRequest { name, description } = body.0;
        let name = limits::name("name", &name)?;
        let description = limits::text("description", description.unwrap_or_default())?;
        let now = self.0.clock.now();
        let row = audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))?;
            let stages = store::stage::list(tx, id).await?;
            if stages.len() as u64 >= store::stage::MOST {
                return Err(Error::Conflict(format!(
                    "the environment already has {} stages, the maximum",
                    stages.len()
                )));
            }
            let row = stage::Model {
                id: StageId::create(),
                environment_id: id,
                created_at: now,
                updated_at: now,
                name_key: entity::name_key(&name),
                name,
                description,
                position: stages.last().map_or(0, |last| last.position + 1),
            };
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let change = change("CREATE", &environment).after(&stage_response(row.clone(), &HashMap::new()));
            Ok((row, change))
        })
        .await?;
        Ok(Json(stored_stage_response(&self.0.db, row).await?))
    }

    #[oai(path = "/deploymentStage/:deploymentStageId", method = "get", operation_id = "getDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn get_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let id = StageId(deployment_stage_id.0);
        let (row, _) = access::stage(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(stored_stage_response(&self.0.db, row).await?))
    }

    #[oai(path = "/deploymentStage/:deploymentStageId", method = "put", operation_id = "EditDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn edit_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
        body: Body<DeploymentStageRequest>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let id = StageId(deployment_stage_id.0);
        let (_, environment) = access::stage(&self.0.db, &auth.0, Action::Manage, id).await?;
        let DeploymentStageRequest { name, description } = body.0;
        let name = limits::name("name", &name)?;
        let description = description.map(|text| limits::text("description", text)).transpose()?;
        let updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            // Others may move the stage at the same time.
            let edit = |stored: stage::Model| {
                let (name_key, description) = (entity::name_key(&name), description.unwrap_or(stored.description));
                Ok(stage::Model { name_key, name, description, updated_at, ..stored })
            };
            let changed = store::row::change(tx, id, edit, |e| Error::or_taken(e, TAKEN)).await?;
            let (before, row) = changed.ok_or(Error::NotFound("deployment stage"))?;
            let before = stage_response(before, &HashMap::new());
            let after = stage_response(row.clone(), &HashMap::new());
            Ok((row, change("UPDATE", &environment).before(&before).after(&after)))
        })
        .await?;
        Ok(Json(stored_stage_response(&self.0.db, row).await?))
    }

    #[oai(path = "/deploymentStage/:deploymentStageId", method = "delete", operation_id = "DeleteDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn delete_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let id = StageId(deployment_stage_id.0);
        let (row, environment) = access::stage(&self.0.db, &auth.0, Action::Manage, id).await?;
        let now = self.0.clock.now();
        audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            store::environment::lock(tx, environment.id).await?;
            let jobs = store::stage::count_jobs(tx, row.id).await?;
            if jobs > 0 {
                // Official clients look for "must empty of service".
                let text = format!("stage must empty of service: {jobs} are in it; move them first");
                return Err(Error::invalid("deploymentStageId", text));
            }
            let rest: Vec<_> = store::stage::list(tx, environment.id).await?.iter().map(|stage| stage.id).collect();
            if rest.len() == 1 {
                return Err(Error::Conflict("an environment must keep at least one stage".into()));
            }
            store::row::delete::<stage::Model>(tx, row.id).await?;
            let rest: Vec<_> = rest.into_iter().filter(|stage| *stage != row.id).collect();
            store::stage::reorder(tx, &rest, now).await?;
            Ok(((), change("DELETE", &environment).before(&stage_response(row, &HashMap::new()))))
        })
        .await?;
        Ok(EmptyResponse)
    }
}
