//! The official states of clusters, derived from their availability.

use entity::cluster::{ClusterKind, Model};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use crate::app::App;
use crate::engine::cluster::usable::{Usable, usable};

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

/// The official state, and whether the cluster counts as deployed (here: connected).
pub(super) fn state(app: &App, row: &Model) -> (ClusterStateEnum, bool) {
    match usable(app, row) {
        // The local cluster counts as deployed even while its container engine is down.
        _ if row.kind == ClusterKind::Local => (ClusterStateEnum::Deployed, true),
        Usable::Yes => (ClusterStateEnum::Deployed, true),
        Usable::Unregistered => (ClusterStateEnum::Ready, false),
        Usable::Connecting => (ClusterStateEnum::Deploying, false),
        Usable::Unreachable(_) => (ClusterStateEnum::DeploymentError, false),
        Usable::Refused(_) => (ClusterStateEnum::InvalidCredentials, false),
    }
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeploymentInfraReason {
    Unspecified,
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
