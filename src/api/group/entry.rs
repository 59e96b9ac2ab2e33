//! The entries of groups, and the scopes of annotations.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct Annotation {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) value: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) propagate_to_cloud_provider: bool,
}

/// The Kubernetes objects that annotations are set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationAnnotationsGroupScopeEnum {
    Deployments,
    StatefulSets,
    Services,
    Ingress,
    GatewayApiRoutes,
    Hpa,
    Pods,
    Secrets,
    Jobs,
    CronJobs,
}
