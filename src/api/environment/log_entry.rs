//! An entry in the log of a deployment.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::Timestamp;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Transmitter {
    pub(super) id: Uuid,
    pub(super) name: String,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct LogStage {
    pub(super) step: String,
    pub(super) id: Option<Uuid>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct LogDetails {
    pub(super) organization_id: Uuid,
    pub(super) cluster_id: Uuid,
    pub(super) execution_id: String,
    pub(super) transmitter: Transmitter,
    pub(super) stage: LogStage,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct LogMessage {
    pub(super) safe_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct LogError {
    pub(super) tag: String,
    pub(super) user_log_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentLogs {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub(super) kind: String,
    pub(super) timestamp: Timestamp,
    pub(super) details: LogDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<LogError>,
    pub(super) message: LogMessage,
}
