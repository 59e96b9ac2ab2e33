//! Cluster requests.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

use super::super::wire::{self, Ignored};
use super::cloud::{CloudSettings, CloudVendorEnum, KubernetesEnum};
use crate::engine::limits;
use crate::engine::settings::cluster_settings::WantedCluster;
use crate::error::{Error, Result};

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
    /// The cluster that is asked for.
    pub(super) fn wanted(self) -> Result<WantedCluster> {
        if self.cloud_provider != CloudVendorEnum::OnPremise {
            return Err(Error::invalid(
                "cloud_provider",
                "must be ON_PREMISE: this server does not create cloud clusters",
            ));
        }
        if self.kubernetes.unwrap_or(KubernetesEnum::SelfManaged) != KubernetesEnum::SelfManaged {
            return Err(Error::invalid("kubernetes", "must be SELF_MANAGED: this server does not manage clusters"));
        }
        let number =
            |field: &str, given: Option<i32>| given.map(|n| limits::between(field, n, 0, i32::MAX)).transpose();
        let settings = CloudSettings {
            min_running_nodes: number("min_running_nodes", self.min_running_nodes)?,
            max_running_nodes: number("max_running_nodes", self.max_running_nodes)?,
            disk_size: number("disk_size", self.disk_size)?,
            instance_type: self.instance_type.map(|text| limits::text("instance_type", text)).transpose()?,
            ssh_keys: self.ssh_keys.map(|keys| limits::list("ssh_keys", keys)).transpose()?,
        };
        let settings = Some(serde_json::to_value(settings).map_err(Error::internal)?);
        let Self { name, description, region, production, .. } = self;
        Ok(WantedCluster { name, description, region, production, settings })
    }
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
