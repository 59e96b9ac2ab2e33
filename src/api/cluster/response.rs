//! Cluster responses.

use entity::cluster::Model;
use entity::id::ClusterId;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::{ReferenceObject, Timestamp};
use super::cloud::{CloudSettings, CloudVendorEnum, KubernetesEnum};
use super::readiness::{ClusterStateEnum, state};
use crate::app::App;

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClusterDeploymentStatusEnum {
    NeverDeployed,
    UpToDate,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Cluster {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    organization: ReferenceObject,
    name: String,
    description: String,
    region: String,
    cloud_provider: CloudVendorEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_running_nodes: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_running_nodes: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_size: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_keys: Option<Vec<String>>,
    kubernetes: KubernetesEnum,
    cpu: i32,
    memory: i32,
    status: ClusterStateEnum,
    has_access: bool,
    is_default: bool,
    production: bool,
    deployment_status: ClusterDeploymentStatusEnum,
}

impl Cluster {
    pub(super) fn new(app: &App, row: Model) -> Self {
        let (status, deployed) = state(app, &row);
        let Model {
            id: ClusterId(id),
            organization_id,
            created_at,
            updated_at,
            name,
            description,
            region,
            kind: _,
            is_default,
            maximum_cpu_milli,
            maximum_memory_mib,
            kubeconfig: _,
            production,
            settings,
        } = row;
        let cloud: CloudSettings = settings.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
        Self {
            id,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            organization: ReferenceObject { id: organization_id.0 },
            name,
            description: description.unwrap_or_default(),
            region,
            cloud_provider: CloudVendorEnum::OnPremise,
            min_running_nodes: cloud.min_running_nodes,
            max_running_nodes: cloud.max_running_nodes,
            disk_size: cloud.disk_size,
            instance_type: cloud.instance_type,
            ssh_keys: cloud.ssh_keys,
            kubernetes: KubernetesEnum::SelfManaged,
            cpu: maximum_cpu_milli,
            memory: maximum_memory_mib,
            status,
            has_access: true,
            is_default,
            production,
            deployment_status: match deployed {
                true => ClusterDeploymentStatusEnum::UpToDate,
                false => ClusterDeploymentStatusEnum::NeverDeployed,
            },
        }
    }
}
