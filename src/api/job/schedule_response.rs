//! The schedule of a job in responses.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::job_command::{JobCommand, JobLifecycleTypeEnum};

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct LifecycleSchedule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_start: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_stop: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_delete: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lifecycle_type: Option<JobLifecycleTypeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct CronCommand {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) arguments: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub(super) entrypoint: Option<String>,
    pub(super) timezone: String,
    pub(super) scheduled_at: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct CronSchedule {
    pub(super) cronjob: CronCommand,
}
