//! An environment in responses.

use entity::environment::{self, Mode};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{self, ReferenceObject, Timestamp};

wire::mirrored!(EnvironmentModeEnum of Mode { Development, Preview, Production, Staging });

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentCloudProvider {
    provider: String,
    cluster: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Environment {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    organization: ReferenceObject,
    project: ReferenceObject,
    cloud_provider: EnvironmentCloudProvider,
    mode: EnvironmentModeEnum,
    cluster_id: Uuid,
    cluster_name: String,
}

pub(super) fn environment_response(row: environment::Model, cluster_name: String) -> Environment {
    let environment::Model {
        id,
        organization_id,
        project_id,
        cluster_id,
        created_at,
        updated_at,
        name,
        name_key: _,
        mode,
        namespace: _,
    } = row;
    Environment {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        organization: ReferenceObject { id: organization_id.0 },
        project: ReferenceObject { id: project_id.0 },
        cloud_provider: EnvironmentCloudProvider { provider: "ON_PREMISE".into(), cluster: cluster_name.clone() },
        mode: mode.into(),
        cluster_id: cluster_id.0,
        cluster_name,
    }
}
