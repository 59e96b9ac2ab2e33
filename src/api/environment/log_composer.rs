//! Builds the log of a deployment from the recorded deployment and runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::deployment::{self, Action as DeploymentAction, Progress};
use entity::id::JobId;
use entity::{deployment_job, environment};

use super::log_entry::{EnvironmentLogs, LogDetails, LogError, LogMessage, LogStage, Transmitter};
use crate::api::status::execution_id;
use crate::api::wire::Timestamp;
use crate::store;

pub(super) fn action_noun(action: DeploymentAction) -> &'static str {
    match action {
        DeploymentAction::Deploy => "deployment",
        DeploymentAction::Stop => "stop",
        DeploymentAction::Delete => "deletion",
        DeploymentAction::Uninstall => "uninstallation",
    }
}

/// The official step names of an action: in progress, succeeded and failed.
fn steps(action: DeploymentAction) -> (&'static str, &'static str, &'static str) {
    match action {
        DeploymentAction::Deploy => ("Deploy", "Deployed", "DeployedError"),
        DeploymentAction::Stop => ("Pause", "Paused", "PausedError"),
        DeploymentAction::Delete | DeploymentAction::Uninstall => ("Delete", "Deleted", "DeletedError"),
    }
}

/// Builds the log entries of one deployment.
pub(super) struct LogComposer<'a> {
    pub(super) environment: &'a environment::Model,
    pub(super) row: &'a deployment::Model,
    pub(super) names: HashMap<JobId, String>,
}

impl LogComposer<'_> {
    pub(super) fn compose(&self, parts: &[deployment_job::Model], runs: &[entity::run::Model]) -> Vec<EnvironmentLogs> {
        let row = self.row;
        let (in_progress, succeeded, failed) = steps(row.action);
        let mut entries = Vec::new();
        let what = action_noun(row.action);
        entries.push(self.entry(
            row.created_at,
            "Start",
            None,
            format!("the {what} was requested by {}", row.triggered_by),
        ));
        if let Some(at) = row.started_at {
            entries.push(self.entry(at, in_progress, None, format!("the {what} started")));
        }
        for part in parts {
            if let Some(at) = part.started_at {
                entries.push(self.entry(at, in_progress, Some(part), format!("the {what} of this job started")));
            }
            let Some(at) = part.finished_at else { continue };
            let run = runs.iter().find(|run| Some(run.id) == part.run_id);
            let reason = run.and_then(|run| run.reason.clone());
            entries.push(match part.progress {
                Progress::Failed => {
                    let text = reason.unwrap_or_else(|| format!("the {what} of this job failed"));
                    self.failed(at, failed, Some(part), text)
                }
                Progress::Cancelled => {
                    self.entry(at, "Cancelled", Some(part), format!("the {what} of this job was cancelled"))
                }
                Progress::Queued | Progress::Running | Progress::Succeeded => {
                    self.entry(at, succeeded, Some(part), format!("the {what} of this job succeeded"))
                }
            });
        }
        if let Some(at) = row.cancel_requested_at {
            entries.push(self.entry(at, "Cancel", None, format!("the cancellation of the {what} was requested")));
        }
        if let Some(at) = row.finished_at {
            entries.push(match row.progress {
                Progress::Failed => {
                    let reason = row.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                    self.failed(at, failed, None, format!("the {what} failed{reason}"))
                }
                Progress::Cancelled => self.entry(at, "Cancelled", None, format!("the {what} was cancelled")),
                Progress::Queued | Progress::Running | Progress::Succeeded => {
                    self.entry(at, succeeded, None, format!("the {what} succeeded"))
                }
            });
        }
        entries
    }

    /// The log of the build of a job's image.
    pub(super) fn build(
        &self,
        part: &deployment_job::Model,
        build: &entity::run::Model,
        lines: &[store::log_chunk::LogLine],
    ) -> Vec<EnvironmentLogs> {
        let lines = lines.iter().map(|line| self.entry(line.at, "Build", Some(part), line.text.clone()));
        let mut entries: Vec<_> = lines.collect();
        if let Some(at) = build.finished_at {
            entries.push(match (build.state, &build.built) {
                (entity::run::RunState::Succeeded, Some(built)) => {
                    self.entry(at, "Built", Some(part), format!("the image {} is ready", built.image))
                }
                _ => {
                    let reason = build.reason.clone().unwrap_or_else(|| "the image build failed".into());
                    self.failed(at, "BuiltError", Some(part), reason)
                }
            });
        }
        entries
    }

    fn entry(
        &self,
        at: DateTime<Utc>,
        step: &str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> EnvironmentLogs {
        let transmitter = match part {
            Some(part) => Transmitter {
                id: part.job_id.0,
                name: self.names.get(&part.job_id).cloned().unwrap_or_default(),
                kind: "Job".into(),
            },
            None => Transmitter {
                id: self.environment.id.0,
                name: self.environment.name.clone(),
                kind: "Environment".into(),
            },
        };
        EnvironmentLogs {
            kind: "info".into(),
            timestamp: Timestamp(at),
            details: LogDetails {
                organization_id: self.environment.organization_id.0,
                cluster_id: self.environment.cluster_id.0,
                execution_id: execution_id(self.row),
                transmitter,
                stage: LogStage {
                    step: step.to_owned(),
                    id: part.and_then(|part| part.stage_id).map(|id| id.0),
                    name: part.and_then(|part| part.stage_name.clone()),
                },
            },
            error: None,
            message: LogMessage { safe_message: text },
        }
    }

    fn failed(
        &self,
        at: DateTime<Utc>,
        step: &str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> EnvironmentLogs {
        let error = Some(LogError { tag: "JOB_FAILURE".into(), user_log_message: text.clone() });
        EnvironmentLogs { kind: "error".into(), error, ..self.entry(at, step, part, text) }
    }
}
