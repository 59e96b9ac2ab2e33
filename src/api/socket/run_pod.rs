//! Presents a run as a pod.

use chrono::{DateTime, Utc};
use entity::job;
use entity::run::{self, RunState};
use serde_json::{Value, json};

/// The name of a run, where the official API has the name of a pod.
pub(super) fn pod_name(job: &job::Model, run: &run::Model) -> String {
    let name: String =
        job.name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{}-{}", name.trim_matches('-'), run.number)
}

/// The state of a job, derived from its runs, newest first. Failures before `cleared` are ignored.
pub(super) fn running_state(runs: &[run::Model], cleared: Option<DateTime<Utc>>) -> &'static str {
    let counts =
        |run: &&run::Model| run.state != RunState::Failed || cleared.is_none_or(|at| run.finished_at > Some(at));
    let failed = runs.iter().filter(counts).any(|run| run.state == RunState::Failed);
    match runs.iter().find(counts).map(|run| run.state) {
        Some(RunState::Running) => "RUNNING",
        Some(RunState::Queued) => "STARTING",
        Some(RunState::Failed) => "ERROR",
        Some(_) if failed => "WARNING",
        Some(RunState::Succeeded) => "COMPLETED",
        Some(RunState::Cancelled) | None => "STOPPED",
    }
}

pub(super) fn pod(job: &job::Model, run: &run::Model) -> Value {
    let state = running_state(std::slice::from_ref(run), None);
    json!({
        "name": pod_name(job, run),
        "state": state,
        "state_reason": "",
        "state_message": run.reason.clone().unwrap_or_default(),
        "restart_count": run.attempt - 1,
        "service_version": run.spec.image_tag.clone().unwrap_or_default(),
        "started_at": run.started_at.unwrap_or(run.created_at).timestamp_millis(),
        "containers": [],
        "last_events": [],
    })
}
