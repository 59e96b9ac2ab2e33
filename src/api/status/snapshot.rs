//! The data from which the states of jobs and environments are derived.

use std::collections::HashMap;

use entity::deployment::{self, Progress};
use entity::id::{EnvironmentId, JobId, StageId};
use entity::job;
use sea_orm::DatabaseTransaction;

use super::official_state::ServiceDeploymentStatusEnum;
use super::part_runs::{PartRuns, run_ids};
use super::part_state::{details, execution_id};
use super::response::{EnvironmentStatus, Status, StatusDetails};
use super::step_metrics::metrics;
use crate::api::wire::Timestamp;
use crate::engine::deployment::{is_outdated, runs_alike};
use crate::engine::shown::{self, PartPhase, ShownProgress, ShownState};
use crate::error::Result;
use crate::store;
use crate::store::deployment::Part;
use crate::store::job::Comparison;

/// Whether the configuration of a job is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Configuration {
    NotDeployed,
    Deployed,
    Outdated,
}

impl Configuration {
    pub(super) fn of_row(row: &job::Model) -> Self {
        match &row.deployed {
            None => Self::NotDeployed,
            Some(_) if is_outdated(row) => Self::Outdated,
            Some(_) => Self::Deployed,
        }
    }

    fn of(comparison: &Comparison) -> Self {
        match comparison {
            Comparison::NotDeployed => Self::NotDeployed,
            Comparison::Same => Self::Deployed,
            Comparison::Different(specs) if runs_alike(&specs.0, &specs.1) => Self::Deployed,
            Comparison::Different(_) | Comparison::Changed => Self::Outdated,
        }
    }
}

/// The data from which the state of one job is derived.
pub(super) struct JobSnapshot<'a> {
    pub(super) id: JobId,
    pub(super) configuration: Configuration,
    pub(super) part: Option<&'a Part>,
    pub(super) runs: PartRuns,
    /// The newest deployment of the environment.
    pub(super) newest: Option<&'a deployment::Model>,
}

impl JobSnapshot<'_> {
    fn shown(&self) -> ShownState {
        let progress = self.part.map(|(part, deployment)| ShownProgress::of_part(part, deployment));
        shown::of_job(progress, self.doing())
    }

    fn doing(&self) -> PartPhase {
        self.part.map_or(PartPhase::Idle, |(part, _)| self.runs.doing(part))
    }

    fn deployment_status(&self) -> ServiceDeploymentStatusEnum {
        let forced = self.part.is_none_or(|(part, _)| part.forced_event.is_some());
        match self.configuration {
            _ if self.shown().is_error() => ServiceDeploymentStatusEnum::OutOfDate,
            Configuration::NotDeployed if forced => ServiceDeploymentStatusEnum::NeverDeployed,
            Configuration::NotDeployed | Configuration::Deployed => ServiceDeploymentStatusEnum::UpToDate,
            Configuration::Outdated => ServiceDeploymentStatusEnum::OutOfDate,
        }
    }

    fn details(&self) -> StatusDetails {
        details(self.part.map(|(part, deployment)| (part, deployment)), self.doing())
    }

    fn is_part_of_newest(&self) -> bool {
        self.part.is_some_and(|(_, deployment)| Some(deployment.id) == self.newest.map(|row| row.id))
    }

    /// The status in a list, where open requests are not counted per job.
    pub(super) fn status_among(&self) -> Status {
        self.status(i32::from(self.part.is_some_and(|(part, _)| !part.progress.is_final())))
    }

    pub(super) fn status(&self, requests: i32) -> Status {
        let deployment = self.part.map(|(_, deployment)| deployment);
        let queued = deployment.filter(|deployment| deployment.progress == Progress::Queued);
        Status {
            id: self.id.0,
            state: self.shown().into(),
            service_deployment_status: self.deployment_status(),
            last_deployment_date: deployment
                .map(|deployment| Timestamp(deployment.started_at.unwrap_or(deployment.created_at))),
            is_part_last_deployment: self.is_part_of_newest(),
            steps: self.part.map(|(part, deployment)| metrics(part, deployment, &self.runs)),
            execution_id: deployment.map(execution_id),
            status_details: self.details(),
            deployment_request_id: queued.map(|deployment| deployment.id.0),
            deployment_requests_count: requests,
        }
    }
}

/// What the states of an environment and its stages are derived from, each value once.
#[derive(Default)]
pub(super) struct EnvironmentSnapshot {
    newest: Option<deployment::Model>,
    /// In the order of their first jobs.
    shown: Vec<ShownState>,
    statuses: Vec<ServiceDeploymentStatusEnum>,
    /// The progress of the newest deployment.
    stages: HashMap<StageId, Vec<Progress>>,
}

fn note<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

impl EnvironmentSnapshot {
    /// Reads an environment page by page, and hands each of its jobs to `see`.
    pub(super) async fn read(
        tx: &DatabaseTransaction,
        environment: EnvironmentId,
        mut see: impl FnMut(&JobSnapshot<'_>, Option<StageId>),
    ) -> Result<Self> {
        let newest = store::deployment::newest_by_environment(tx, environment).await?;
        let mut all = Self { newest, ..Self::default() };
        let mut after = None;
        loop {
            let page = store::job::list_compared(tx, environment, after, store::PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some((last.created_at, last.id));
            let keys = page.iter().filter_map(|job| Some((job.id, job.deployment_id?))).collect();
            let parts = store::deployment::list_parts_by_keys(tx, &keys).await?;
            let ids = run_ids(parts.values().map(|(part, _)| part));
            let runs = if ids.is_empty() { Vec::new() } else { store::run::list_by_ids(tx, ids).await? };
            let runs: HashMap<_, _> = runs.into_iter().map(|run| (run.id, run)).collect();
            for job in &page {
                let part = parts.get(&job.id);
                let snapshot = JobSnapshot {
                    id: job.id,
                    configuration: Configuration::of(&job.comparison),
                    part,
                    runs: part.map(|(part, _)| PartRuns::among(part, &runs)).unwrap_or_default(),
                    newest: all.newest.as_ref(),
                };
                let (shown, status, is_newest) =
                    (snapshot.shown(), snapshot.deployment_status(), snapshot.is_part_of_newest());
                see(&snapshot, job.stage_id);
                note(&mut all.shown, shown);
                note(&mut all.statuses, status);
                if let (Some(stage), Some((part, _)), true) = (job.stage_id, part, is_newest) {
                    note(all.stages.entry(stage).or_default(), part.progress);
                }
            }
        }
    }

    /// The progress of a stage in the newest deployment.
    pub(super) fn stage(&self, id: StageId) -> &[Progress] {
        self.stages.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn environment(&self, id: EnvironmentId) -> EnvironmentStatus {
        let deployment_status = [ServiceDeploymentStatusEnum::OutOfDate, ServiceDeploymentStatusEnum::UpToDate]
            .into_iter()
            .find(|status| self.statuses.contains(status))
            .unwrap_or(ServiceDeploymentStatusEnum::NeverDeployed);
        let newest = self.newest.as_ref();
        let last = shown::of_job(newest.map(ShownProgress::of_deployment), PartPhase::Idle);
        // An open deployment counts even before it reaches its first job.
        let together = if last.is_open() { last } else { shown::of_environment(&self.shown) };
        EnvironmentStatus {
            id: id.0,
            state: together.into(),
            last_deployment_date: newest
                .map(|deployment| Timestamp(deployment.started_at.unwrap_or(deployment.created_at))),
            last_deployment_state: last.into(),
            last_deployment_id: newest.map(execution_id),
            total_deployment_duration_in_seconds: newest
                .and_then(|deployment| Some((deployment.finished_at? - deployment.started_at?).num_seconds())),
            origin: newest.map(|deployment| deployment.origin.into()),
            triggered_by: newest.map(|deployment| deployment.triggered_by.clone()),
            deployment_status,
            deployment_request_id: newest
                .filter(|deployment| deployment.progress == Progress::Queued)
                .map(|deployment| deployment.id.0),
        }
    }
}
