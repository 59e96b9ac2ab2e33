//! Pure: builds the log of a deployment from the recorded deployment and runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::deployment::{self, Action as DeploymentAction, Progress};
use entity::id::{JobId, StageId};
use entity::{deployment_job, environment};

use crate::store::log_chunk::LogLine;

/// What a deployment is called.
#[must_use]
pub fn action_noun(action: DeploymentAction) -> &'static str {
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

/// The stage of a part. Parts of older releases have none.
fn place_of(part: &deployment_job::Model) -> LogPlace {
    let name = part.stage_name.clone().unwrap_or_else(|| format!("stage {}", part.stage_position + 1));
    (part.stage_id, Some(name))
}

/// An entry in the log of a deployment.
#[derive(Clone, Debug)]
pub struct DeploymentLogEntry {
    pub at: DateTime<Utc>,
    /// The official name of the step.
    pub step: &'static str,
    /// None for the deployment as a whole.
    pub job: Option<(JobId, String)>,
    pub stage_id: Option<StageId>,
    pub stage_name: Option<String>,
    pub text: String,
    pub is_error: bool,
}

/// Builds the log entries of one deployment.
pub(super) struct LogComposer<'a> {
    pub(super) environment: &'a environment::Model,
    pub(super) row: &'a deployment::Model,
    pub(super) names: HashMap<JobId, String>,
    /// The first and the last stage. What the deployment as a whole reports is in one of them: clients show a stage for each name.
    stages: (LogPlace, LogPlace),
}

/// The id and the name of a stage.
type LogPlace = (Option<StageId>, Option<String>);

impl<'a> LogComposer<'a> {
    pub(super) fn new(
        environment: &'a environment::Model,
        row: &'a deployment::Model,
        names: HashMap<JobId, String>,
        parts: &[deployment_job::Model],
    ) -> Self {
        let place = |part: Option<&deployment_job::Model>| match part {
            Some(part) => place_of(part),
            None => (None, Some(environment.name.clone())),
        };
        let first = parts.iter().min_by_key(|part| part.stage_position);
        let last = parts.iter().max_by_key(|part| part.stage_position);
        Self { environment, row, names, stages: (place(first), place(last)) }
    }

    pub(super) fn compose(
        &self,
        parts: &[deployment_job::Model],
        runs: &[entity::run::Model],
    ) -> Vec<DeploymentLogEntry> {
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
            let build = runs.iter().find(|run| Some(run.id) == part.build_run_id);
            let reason = run.or(build).and_then(|run| run.reason.clone());
            match part.progress {
                Progress::Failed => {
                    let text = reason.unwrap_or_else(|| format!("the {what} of this job failed"));
                    // The command line shows only steps that took time, so that the end alone would not be shown.
                    entries.push(self.failed(at, in_progress, Some(part), text.clone()));
                    entries.push(self.failed(at, failed, Some(part), text));
                }
                Progress::Cancelled => {
                    let text = format!("the {what} of this job was cancelled");
                    entries.push(self.entry(at, "Cancelled", Some(part), text));
                }
                Progress::Queued | Progress::Running | Progress::Succeeded => {
                    let text = format!("the {what} of this job succeeded");
                    entries.push(self.entry(at, succeeded, Some(part), text));
                }
            }
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
        lines: &[LogLine],
    ) -> Vec<DeploymentLogEntry> {
        let mut entries = Vec::with_capacity(lines.len() + 3);
        if let Some(at) = build.started_at {
            entries.push(self.entry(at, "Build", Some(part), "the build of the image started".into()));
        }
        entries.extend(lines.iter().map(|line| self.entry(line.at, "Build", Some(part), line.text.clone())));
        if let Some(at) = build.finished_at {
            match (build.state, &build.built) {
                (entity::run::RunState::Succeeded, Some(built)) => {
                    let text = format!("the image {} is ready", built.image);
                    entries.push(self.entry(at, "Built", Some(part), text));
                }
                _ => {
                    let reason = build.reason.clone().unwrap_or_else(|| "the image build failed".into());
                    entries.push(self.failed(at, "Build", Some(part), reason.clone()));
                    entries.push(self.failed(at, "BuiltError", Some(part), reason));
                }
            }
        }
        entries
    }

    /// The last lines of a run that failed.
    pub(super) fn output(&self, part: &deployment_job::Model, lines: &[LogLine]) -> Vec<DeploymentLogEntry> {
        let (in_progress, ..) = steps(self.row.action);
        lines.iter().map(|line| self.entry(line.at, in_progress, Some(part), line.text.clone())).collect()
    }

    fn entry(
        &self,
        at: DateTime<Utc>,
        step: &'static str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> DeploymentLogEntry {
        let (stage_id, stage_name) = match part {
            Some(part) => place_of(part),
            None if self.row.finished_at == Some(at) => self.stages.1.clone(),
            None => self.stages.0.clone(),
        };
        let job = part.map(|part| (part.job_id, self.names.get(&part.job_id).cloned().unwrap_or_default()));
        DeploymentLogEntry { at, step, job, stage_id, stage_name, text, is_error: false }
    }

    fn failed(
        &self,
        at: DateTime<Utc>,
        step: &'static str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> DeploymentLogEntry {
        DeploymentLogEntry { is_error: true, ..self.entry(at, step, part, text) }
    }
}
