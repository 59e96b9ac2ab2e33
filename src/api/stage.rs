//! Deployment stages: /environment/{environmentId}/deploymentStage, /deploymentStage/{deploymentStageId} and the stage
//! of a service.

use std::collections::HashMap;
use std::sync::Arc;

use entity::environment;
use entity::id::{EnvironmentId, JobId, StageId};
use entity::{stage, stage_job};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::tag::Tag;
use super::wire::{Body, EmptyResponse, Json, NoContent, ReferenceObject, Results, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Deserialize, Object)]
struct DeploymentStageRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct AttachRequest {
    is_skipped: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DeploymentStageServiceResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    service_id: Uuid,
    service_type: String,
    is_skipped: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DeploymentStageResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    environment: ReferenceObject,
    name: String,
    description: String,
    deployment_order: i32,
    services: Vec<DeploymentStageServiceResponse>,
}

impl From<&stage_job::Model> for DeploymentStageServiceResponse {
    fn from(row: &stage_job::Model) -> Self {
        let stage_job::Model { job_id, stage_id: _, created_at, updated_at, is_skipped } = *row;
        Self {
            // A service has one place, so that its id names the place too.
            id: job_id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            service_id: job_id.0,
            service_type: "JOB".into(),
            is_skipped,
        }
    }
}

fn answer(row: stage::Model, places: &HashMap<JobId, stage_job::Model>) -> DeploymentStageResponse {
    let stage::Model { id, environment_id, created_at, updated_at, name, name_key: _, description, position } = row;
    let mut services: Vec<_> = places.values().filter(|place| place.stage_id == id).collect();
    services.sort_by_key(|place| place.job_id);
    DeploymentStageResponse {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        environment: ReferenceObject { id: environment_id.0 },
        name,
        description,
        deployment_order: position,
        services: services.into_iter().map(DeploymentStageServiceResponse::from).collect(),
    }
}

async fn all(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Results<DeploymentStageResponse>> {
    let places = store::stage::places(db, id).await?;
    let rows = store::stage::list(db, id).await?;
    Ok(Results { results: rows.into_iter().map(|row| answer(row, &places)).collect() })
}

async fn one(db: &impl ConnectionTrait, row: stage::Model) -> Result<DeploymentStageResponse> {
    let places = store::stage::places(db, row.environment_id).await?;
    Ok(answer(row, &places))
}

const TAKEN: &str = "a stage of this environment already has this name";
const PART: &str = "DEPLOYMENT_STAGE";

fn change(kind: &'static str, environment: &environment::Model) -> Change {
    Change::new(kind, "ENVIRONMENT", environment.id.0, &environment.name).of_environment(environment).part(PART)
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The handlers.
pub(super) struct StageApi(pub(super) Arc<App>);

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
        Ok(Json(all(&self.0.db, environment.id).await?))
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
                return Err(Error::Conflict(format!("there are {} stages already, which is the most", stages.len())));
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
            let change = change("CREATE", &environment).after(&answer(row.clone(), &HashMap::new()));
            Ok((row, change))
        })
        .await?;
        Ok(Json(one(&self.0.db, row).await?))
    }

    #[oai(path = "/deploymentStage/:deploymentStageId", method = "get", operation_id = "getDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn get_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let id = StageId(deployment_stage_id.0);
        let (row, _) = access::stage(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Json(one(&self.0.db, row).await?))
    }

    #[oai(path = "/deploymentStage/:deploymentStageId", method = "put", operation_id = "EditDeploymentStage", tag = Tag::DeploymentStageMainCalls)]
    async fn edit_deployment_stage(
        &self,
        auth: Auth,
        #[oai(name = "deploymentStageId")] deployment_stage_id: Path<Uuid>,
        body: Body<DeploymentStageRequest>,
    ) -> Result<Success<DeploymentStageResponse>> {
        let id = StageId(deployment_stage_id.0);
        let (mut row, environment) = access::stage(&self.0.db, &auth.0, Action::Manage, id).await?;
        let before = answer(row.clone(), &HashMap::new());
        let DeploymentStageRequest { name, description } = body.0;
        row.name = limits::name("name", &name)?;
        row.name_key = entity::name_key(&row.name);
        if let Some(description) = description {
            row.description = limits::text("description", description)?;
        }
        row.updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, environment.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let after = answer(row.clone(), &HashMap::new());
            Ok((row, change("UPDATE", &environment).before(&before).after(&after)))
        })
        .await?;
        Ok(Json(one(&self.0.db, row).await?))
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
                // Official clients look for these words.
                let text = format!("stage must empty of service: {jobs} are in it; move them first");
                return Err(Error::invalid("deploymentStageId", text));
            }
            let rest: Vec<_> = store::stage::list(tx, environment.id).await?.iter().map(|stage| stage.id).collect();
            if rest.len() == 1 {
                return Err(Error::Conflict("an environment keeps one stage".into()));
            }
            store::row::delete::<stage::Model>(tx, row.id).await?;
            let rest: Vec<_> = rest.into_iter().filter(|stage| *stage != row.id).collect();
            store::stage::reorder(tx, &rest, now).await?;
            Ok(((), change("DELETE", &environment).before(&answer(row, &HashMap::new()))))
        })
        .await?;
        Ok(EmptyResponse)
    }

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
            return Err(Error::invalid("serviceId", "is not in the environment of the stage"));
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
        Ok(Json(all(&self.0.db, environment.id).await?))
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
        Ok(Json(one(&self.0.db, row.ok_or(Error::NotFound("deployment stage"))?).await?))
    }
}

impl StageApi {
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
        Ok(Json(all(&self.0.db, environment.id).await?))
    }
}
