//! How long the steps of a job's part in a deployment took.

use chrono::{DateTime, Utc};
use entity::deployment::Progress;
use entity::id::RunId;
use entity::run::RunState;
use entity::{deployment, deployment_job, run};
use poem_openapi::{Enum, Object};
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};

use crate::engine::shown::PartPhase;
use crate::error::Result;
use crate::store;

/// Those of the official steps that there are.
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

/// The steps of a job that have ended, and how long all of them took.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct ServiceStepMetrics {
    total_duration_sec: Option<i64>,
    total_computing_duration_sec: i64,
    details: Vec<ServiceStepMetric>,
}

/// The runs of a part: the one that built its image, and the one that it waits for.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Runs {
    pub(in crate::api) build: Option<run::Model>,
    pub(in crate::api) run: Option<run::Model>,
}

/// The runs that parts name.
pub(in crate::api) fn named<'a>(parts: impl IntoIterator<Item = &'a deployment_job::Model>) -> Vec<RunId> {
    parts.into_iter().flat_map(|part| [part.run_id, part.build_run_id]).flatten().collect()
}

impl Runs {
    /// Those of a part among `all`.
    pub(in crate::api) fn of(part: &deployment_job::Model, all: &[run::Model]) -> Self {
        let find = |id: Option<RunId>| all.iter().find(|run| Some(run.id) == id).cloned();
        Self { build: find(part.build_run_id), run: find(part.run_id) }
    }

    pub(in crate::api) async fn read(db: &DatabaseConnection, part: &deployment_job::Model) -> Result<Self> {
        let ids = named([part]);
        if ids.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::of(part, &store::run::list_by_ids(db, ids).await?))
    }

    /// What the part is at.
    pub(in crate::api) fn doing(&self, part: &deployment_job::Model) -> PartPhase {
        // That its schedule is being given to its cluster is part of deploying it.
        let executes = |run: &run::Model| run.state == RunState::Running && run.event != run::Event::Apply;
        let running = self.run.as_ref().is_some_and(executes);
        match doing(part) {
            PartPhase::Idle if running => PartPhase::Run,
            other => other,
        }
    }
}

/// What a part is at, or has failed at, as far as it says so itself.
pub(in crate::api) fn doing(part: &deployment_job::Model) -> PartPhase {
    let builds = part.build_run_id.is_some() && part.run_id.is_none();
    if builds && matches!(part.progress, Progress::Running | Progress::Failed) {
        PartPhase::Build
    } else {
        PartPhase::Idle
    }
}

/// The steps of a part.
pub(in crate::api) fn metrics(part: &deployment_job::Model, of: &deployment::Model, runs: &Runs) -> ServiceStepMetrics {
    use ServiceStepMetricNameEnum as Name;
    let mut details = Vec::new();
    let mut add = |step_name, status, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>| {
        if let (Some(from), Some(until)) = (from, until) {
            details.push(ServiceStepMetric { step_name, status, duration_sec: (until - from).num_seconds().max(0) });
        }
    };
    add(Name::DeploymentQueueing, StepMetricStatusEnum::Success, Some(of.created_at), part.started_at);
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
        total_duration_sec: part.finished_at.map(|at| (at - of.created_at).num_seconds().max(0)),
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
