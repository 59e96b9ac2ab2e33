//! Deployment stages in responses.

use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId};
use entity::{environment, stage, stage_job};
use poem_openapi::Object;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::audit::Change;
use crate::api::wire::{ReferenceObject, Results, Timestamp};
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentStageServiceResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    service_id: Uuid,
    service_type: String,
    is_skipped: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentStageResponse {
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
            // A service is in one stage, so its placement shares its id.
            id: job_id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            service_id: job_id.0,
            service_type: "JOB".into(),
            is_skipped,
        }
    }
}

pub(super) fn stage_response(row: stage::Model, places: &HashMap<JobId, stage_job::Model>) -> DeploymentStageResponse {
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

pub(super) async fn list_response(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
) -> Result<Results<DeploymentStageResponse>> {
    let places = store::stage::places(db, id).await?;
    let rows = store::stage::list(db, id).await?;
    Ok(Results { results: rows.into_iter().map(|row| stage_response(row, &places)).collect() })
}

pub(super) async fn stored_stage_response(
    db: &impl ConnectionTrait,
    row: stage::Model,
) -> Result<DeploymentStageResponse> {
    let places = store::stage::places(db, row.environment_id).await?;
    Ok(stage_response(row, &places))
}

pub(super) const PART: &str = "DEPLOYMENT_STAGE";

pub(super) fn change(kind: &'static str, environment: &environment::Model) -> Change {
    Change::new(kind, "ENVIRONMENT", environment.id.0, &environment.name).of_environment(environment).part(PART)
}
