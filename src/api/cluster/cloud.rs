//! Cloud settings of a cluster. They have no effect on this server.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum CloudVendorEnum {
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

/// Settings that clients write and read back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CloudSettings {
    pub(super) min_running_nodes: Option<i32>,
    pub(super) max_running_nodes: Option<i32>,
    pub(super) disk_size: Option<i32>,
    pub(super) instance_type: Option<String>,
    pub(super) ssh_keys: Option<Vec<String>>,
}
