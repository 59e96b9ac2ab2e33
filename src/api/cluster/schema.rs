//! The bodies of requests and answers about clusters.

use entity::cluster::{ClusterKind, Model};
use entity::id::ClusterId;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::limits;
use super::super::wire::{self, Ignored, ReferenceObject, Timestamp};
use crate::app::App;
use crate::engine::cluster::usable::{Usable, usable};
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in super::super) enum CloudVendorEnum {
    Aws,
    Scw,
    Gcp,
    Do,
    Azure,
    Ovh,
    Civo,
    Hetzner,
    Oracle,
    Ibm,
    OnPremise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum KubernetesEnum {
    Managed,
    SelfManaged,
    PartiallyManaged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ClusterStateEnum {
    Deployed,
    Ready,
    Deploying,
    DeploymentError,
    InvalidCredentials,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClusterDeploymentStatusEnum {
    NeverDeployed,
    UpToDate,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeploymentInfraReason {
    Unspecified,
}

/// What clients of clouds write and read back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    min_running_nodes: Option<i32>,
    max_running_nodes: Option<i32>,
    disk_size: Option<i32>,
    instance_type: Option<String>,
    ssh_keys: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct ClusterRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    region: String,
    cloud_provider: CloudVendorEnum,
    #[serde(default, rename = "cloud_provider_credentials")]
    #[oai(default, rename = "cloud_provider_credentials")]
    _credentials: Option<Ignored>,
    #[serde(default, deserialize_with = "wire::optional_number")]
    #[oai(default)]
    min_running_nodes: Option<i32>,
    #[serde(default, deserialize_with = "wire::optional_number")]
    #[oai(default)]
    max_running_nodes: Option<i32>,
    #[serde(default, deserialize_with = "wire::optional_number")]
    #[oai(default)]
    disk_size: Option<i32>,
    #[serde(default, rename = "disk_iops")]
    #[oai(default, rename = "disk_iops")]
    _disk_iops: Option<Ignored>,
    #[serde(default, rename = "disk_throughput")]
    #[oai(default, rename = "disk_throughput")]
    _disk_throughput: Option<Ignored>,
    #[serde(default)]
    #[oai(default)]
    instance_type: Option<String>,
    #[serde(default)]
    #[oai(default)]
    kubernetes: Option<KubernetesEnum>,
    #[serde(default)]
    #[oai(default)]
    production: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    ssh_keys: Option<Vec<String>>,
    #[serde(default, rename = "features")]
    #[oai(default, rename = "features")]
    _features: Option<Ignored>,
    #[serde(default, rename = "metrics_parameters")]
    #[oai(default, rename = "metrics_parameters")]
    _metrics_parameters: Option<Ignored>,
    #[serde(default, rename = "infrastructure_charts_parameters")]
    #[oai(default, rename = "infrastructure_charts_parameters")]
    _infrastructure_charts_parameters: Option<Ignored>,
    #[serde(default, rename = "keda")]
    #[oai(default, rename = "keda")]
    _keda: Option<Ignored>,
    #[serde(default, rename = "labels_groups")]
    #[oai(default, rename = "labels_groups")]
    _labels_groups: Option<Ignored>,
    #[serde(default, rename = "secret_manager_accesses")]
    #[oai(default, rename = "secret_manager_accesses")]
    _secret_manager_accesses: Option<Ignored>,
}

impl ClusterRequest {
    /// Checks a request and writes it into a row.
    pub(super) fn apply(self, mut row: Model) -> Result<Model> {
        let local = row.kind == ClusterKind::Local;
        if self.cloud_provider != CloudVendorEnum::OnPremise {
            return Err(Error::invalid("cloud_provider", "is ON_PREMISE: this server creates no clusters in clouds"));
        }
        if self.kubernetes.unwrap_or(KubernetesEnum::SelfManaged) != KubernetesEnum::SelfManaged {
            return Err(Error::invalid("kubernetes", "is SELF_MANAGED: this server manages no clusters"));
        }
        row.name = limits::name("name", &self.name)?;
        if local && row.region != self.region {
            return Err(Error::invalid("region", "of the machine of the server cannot be changed"));
        }
        row.region = limits::name("region", &self.region)?;
        if let Some(description) = self.description {
            row.description = Some(limits::text("description", description)?);
        }
        row.production = self.production.unwrap_or(row.production);
        let number =
            |field: &str, given: Option<i32>| given.map(|n| limits::between(field, n, 0, i32::MAX)).transpose();
        let kept = Kept {
            min_running_nodes: number("min_running_nodes", self.min_running_nodes)?,
            max_running_nodes: number("max_running_nodes", self.max_running_nodes)?,
            disk_size: number("disk_size", self.disk_size)?,
            instance_type: self.instance_type.map(|text| limits::text("instance_type", text)).transpose()?,
            ssh_keys: self.ssh_keys.map(|keys| limits::list("ssh_keys", keys)).transpose()?,
        };
        row.settings = Some(serde_json::to_value(kept).map_err(Error::internal)?);
        Ok(row)
    }
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

/// The official state, and whether it has ever been deployed: connected is what we call that.
fn state(app: &App, row: &Model) -> (ClusterStateEnum, bool) {
    match usable(app, row) {
        // The machine of the server is there, also while its engine is not.
        _ if row.kind == ClusterKind::Local => (ClusterStateEnum::Deployed, true),
        Usable::Yes => (ClusterStateEnum::Deployed, true),
        Usable::Unregistered => (ClusterStateEnum::Ready, false),
        Usable::Connecting => (ClusterStateEnum::Deploying, false),
        Usable::Unreachable(_) => (ClusterStateEnum::DeploymentError, false),
        Usable::Refused(_) => (ClusterStateEnum::InvalidCredentials, false),
    }
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
        let kept: Kept = settings.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
        Self {
            id,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            organization: ReferenceObject { id: organization_id.0 },
            name,
            description: description.unwrap_or_default(),
            region,
            cloud_provider: CloudVendorEnum::OnPremise,
            min_running_nodes: kept.min_running_nodes,
            max_running_nodes: kept.max_running_nodes,
            disk_size: kept.disk_size,
            instance_type: kept.instance_type,
            ssh_keys: kept.ssh_keys,
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

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ClusterStatus {
    cluster_id: Uuid,
    status: ClusterStateEnum,
    is_deployed: bool,
    next_k8s_available_version: Option<String>,
    last_execution_id: Option<String>,
    last_deployment_date: Option<Timestamp>,
    reason: DeploymentInfraReason,
}

impl ClusterStatus {
    pub(super) fn new(app: &App, row: &Model) -> Self {
        let (status, is_deployed) = state(app, row);
        Self {
            cluster_id: row.id.0,
            status,
            is_deployed,
            next_k8s_available_version: None,
            last_execution_id: None,
            last_deployment_date: is_deployed.then_some(Timestamp(row.created_at)),
            reason: DeploymentInfraReason::Unspecified,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ClusterReadinessStatus {
    pub(super) is_ready: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ClusterDeleteMode {
    #[default]
    Default,
    DeleteClusterAndQoveryConfig,
    DeleteQoveryConfig,
}
