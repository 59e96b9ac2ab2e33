//! The states of jobs and environments in responses.

use entity::deployment::Action;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::last_run::LastRun;
use super::official_state::{EventOriginEnum, ServiceDeploymentStatusEnum, StageStatusEnum, StateEnum};
use super::step_metrics::ServiceStepMetrics;
use crate::api::wire::Timestamp;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ServiceActionEnum {
    Deploy,
    Delete,
    Stop,
    Unknown,
}

impl From<Action> for ServiceActionEnum {
    fn from(action: Action) -> Self {
        match action {
            Action::Deploy => Self::Deploy,
            Action::Stop => Self::Stop,
            Action::Delete | Action::Uninstall => Self::Delete,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ServiceActionStatusEnum {
    Queued,
    Ongoing,
    Success,
    Error,
    Executing,
    Canceling,
    Canceled,
    Never,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ServiceSubActionEnum {
    None,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct StatusDetails {
    pub(super) action: ServiceActionEnum,
    pub(super) status: ServiceActionStatusEnum,
    pub(super) sub_action: ServiceSubActionEnum,
}

/// The state of one job.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct Status {
    pub(super) id: Uuid,
    pub(super) state: StateEnum,
    pub(super) service_deployment_status: ServiceDeploymentStatusEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) last_deployment_date: Option<Timestamp>,
    pub(super) is_part_last_deployment: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) steps: Option<ServiceStepMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) execution_id: Option<String>,
    pub(super) status_details: StatusDetails,
    pub(super) deployment_request_id: Option<Uuid>,
    pub(super) deployment_requests_count: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) last_run: Option<LastRun>,
}

/// The state of an environment.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentStatus {
    pub(super) id: Uuid,
    pub(super) state: StateEnum,
    pub(super) last_deployment_date: Option<Timestamp>,
    pub(super) last_deployment_state: StateEnum,
    pub(super) last_deployment_id: Option<String>,
    pub(super) total_deployment_duration_in_seconds: Option<i64>,
    pub(super) origin: Option<EventOriginEnum>,
    pub(super) triggered_by: Option<String>,
    pub(super) deployment_status: ServiceDeploymentStatusEnum,
    pub(super) deployment_request_id: Option<Uuid>,
}

/// The state of an environment and of its jobs. The lists of other kinds of services are always empty.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentStatuses {
    pub(super) environment: EnvironmentStatus,
    pub(super) applications: Vec<Status>,
    pub(super) containers: Vec<Status>,
    pub(super) jobs: Vec<Status>,
    pub(super) databases: Vec<Status>,
    pub(super) helms: Vec<Status>,
    pub(super) terraforms: Vec<Status>,
}

/// A stage, with its status in the newest deployment.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Stage {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<StageStatusEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentStageWithServicesStatuses {
    pub(super) applications: Vec<Status>,
    pub(super) containers: Vec<Status>,
    pub(super) jobs: Vec<Status>,
    pub(super) databases: Vec<Status>,
    pub(super) helms: Vec<Status>,
    pub(super) terraforms: Vec<Status>,
    pub(super) stage: Stage,
}

/// The state of an environment, stage by stage.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentStatusesWithStages {
    pub(super) environment: EnvironmentStatus,
    pub(super) stages: Vec<DeploymentStageWithServicesStatuses>,
}
