//! The durations of the steps of a job in a deployment.

use chrono::{DateTime, Utc};
use entity::deployment::{self, Progress};
use entity::deployment_job;
use entity::run::{self, RunState};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

use crate::engine::state::PartRuns;

/// The official steps that this server reports.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ServiceStepMetricNameEnum {
    BuildQueueing,
    Build,
    DeploymentQueueing,
    Deployment,
    Executing,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum StepMetricStatusEnum {
    Success,
    Error,
    Cancel,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
struct ServiceStepMetric {
    step_name: ServiceStepMetricNameEnum,
    status: StepMetricStatusEnum,
    duration_sec: i64,
}

/// The finished steps of a job, and their total duration.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct ServiceStepMetrics {
    total_duration_sec: Option<i64>,
    total_computing_duration_sec: i64,
    details: Vec<ServiceStepMetric>,
}

/// The finished steps of a part.
pub(in crate::api) fn metrics(
    part: &deployment_job::Model,
    deployment: &deployment::Model,
    runs: &PartRuns,
) -> ServiceStepMetrics {
    use ServiceStepMetricNameEnum as Name;
    let mut details = Vec::new();
    let mut add = |step_name, status, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>| {
        if let (Some(from), Some(until)) = (from, until) {
            details.push(ServiceStepMetric { step_name, status, duration_sec: (until - from).num_seconds().max(0) });
        }
    };
    add(Name::DeploymentQueueing, StepMetricStatusEnum::Success, Some(deployment.created_at), part.started_at);
    if let Some(build) = &runs.build {
        let from = build.started_at.or(build.finished_at);
        add(Name::BuildQueueing, StepMetricStatusEnum::Success, Some(build.created_at), from);
        add(Name::Build, ended(build.state), from, build.finished_at);
    }
    if let Some(run) = &runs.run {
        add(Name::Executing, ended(run.state), run.started_at.or(run.finished_at), run.finished_at);
    }
    let status = match part.progress {
        Progress::Failed => StepMetricStatusEnum::Error,
        Progress::Cancelled => StepMetricStatusEnum::Cancel,
        Progress::Queued | Progress::Running | Progress::Succeeded => StepMetricStatusEnum::Success,
    };
    add(Name::Deployment, status, part.started_at, part.finished_at);
    let took = |run: &Option<run::Model>| {
        let run = run.as_ref()?;
        Some((run.finished_at? - run.started_at?).num_seconds().max(0))
    };
    ServiceStepMetrics {
        total_duration_sec: part.finished_at.map(|at| (at - deployment.created_at).num_seconds().max(0)),
        total_computing_duration_sec: [took(&runs.build), took(&runs.run)].into_iter().flatten().sum(),
        details,
    }
}

fn ended(state: RunState) -> StepMetricStatusEnum {
    match state {
        RunState::Failed => StepMetricStatusEnum::Error,
        RunState::Cancelled => StepMetricStatusEnum::Cancel,
        RunState::Queued | RunState::Running | RunState::Succeeded => StepMetricStatusEnum::Success,
    }
}
