//! An entry in the log of a deployment.

use entity::{deployment, environment};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::status::execution_id;
use crate::api::wire::Timestamp;
use crate::engine::state::DeploymentLogEntry;

#[derive(Debug, Serialize, Deserialize, Object)]
struct Transmitter {
    id: Uuid,
    name: String,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogStage {
    step: String,
    id: Option<Uuid>,
    name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogDetails {
    organization_id: Uuid,
    cluster_id: Uuid,
    execution_id: String,
    transmitter: Transmitter,
    stage: LogStage,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogMessage {
    safe_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogError {
    tag: String,
    user_log_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentLogs {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    details: LogDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<LogError>,
    message: LogMessage,
}

impl EnvironmentLogs {
    pub(super) fn new(entry: DeploymentLogEntry, of: &environment::Model, deployment: &deployment::Model) -> Self {
        let DeploymentLogEntry { at, step, job, stage_id, stage_name, text, is_error } = entry;
        let transmitter = match job {
            Some((id, name)) => Transmitter { id: id.0, name, kind: "Job".into() },
            None => Transmitter { id: of.id.0, name: of.name.clone(), kind: "Environment".into() },
        };
        let error = is_error.then(|| LogError { tag: "JOB_FAILURE".into(), user_log_message: text.clone() });
        Self {
            kind: if is_error { "error" } else { "info" }.into(),
            timestamp: Timestamp(at),
            details: LogDetails {
                organization_id: of.organization_id.0,
                cluster_id: of.cluster_id.0,
                execution_id: execution_id(deployment),
                transmitter,
                stage: LogStage { step: step.to_owned(), id: stage_id.map(|id| id.0), name: stage_name },
            },
            error,
            message: LogMessage { safe_message: text },
        }
    }
}
