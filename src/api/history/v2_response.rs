//! Responses in the second official format of the history.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::commit::Commit;
use super::response::DeploymentHistoryTriggerAction;
use crate::api::job::{JobCommandResponse, JobTypeEnum, ServiceTypeEnum};
use crate::api::status::{EventOriginEnum, StageStatusEnum, StateEnum, StatusDetails};
use crate::api::wire::Timestamp;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ServiceIdentifier {
    pub(super) name: String,
    pub(super) service_id: Uuid,
    pub(super) service_type: ServiceTypeEnum,
    pub(super) execution_id: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryAuditingData {
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) triggered_by: String,
    pub(super) origin: EventOriginEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct CronJobHistory {
    pub(super) arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
    pub(super) scheduled_at: String,
    pub(super) timezone: String,
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
pub(super) struct ScheduleHistory {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_start: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_stop: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_delete: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cron_job: Option<CronJobHistory>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct JobDetails {
    pub(super) image_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<Commit>,
    pub(super) tag: String,
    pub(super) schedule: ScheduleHistory,
    pub(super) job_type: JobTypeEnum,
    pub(super) build_pod_name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryService {
    pub(super) identifier: ServiceIdentifier,
    pub(super) status: StateEnum,
    pub(super) auditing_data: DeploymentHistoryAuditingData,
    pub(super) details: JobDetails,
    pub(super) status_details: StatusDetails,
    pub(super) icon_uri: String,
    pub(super) total_duration: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryStage {
    pub(super) name: String,
    pub(super) status: StageStatusEnum,
    pub(super) duration: String,
    pub(super) services: Vec<DeploymentHistoryService>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DeploymentHistoryActionStatus {
    Queued,
    Ongoing,
    Success,
    Error,
    Canceled,
    Canceling,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentIdentifier {
    pub(super) execution_id: String,
    pub(super) environment_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryEnvironmentV2 {
    pub(super) identifier: EnvironmentIdentifier,
    pub(super) auditing_data: DeploymentHistoryAuditingData,
    pub(super) status: StateEnum,
    pub(super) trigger_action: DeploymentHistoryTriggerAction,
    pub(super) total_duration: String,
    pub(super) stages: Vec<DeploymentHistoryStage>,
    pub(super) action_status: DeploymentHistoryActionStatus,
}
