//! The data from which the states of jobs and environments are derived.

use std::collections::HashMap;

use entity::deployment::{self, Progress};
use entity::id::{EnvironmentId, JobId};
use entity::{job, run};
use sea_orm::DatabaseConnection;

use super::official_state::ServiceDeploymentStatusEnum;
use super::part_runs::{PartRuns, run_ids};
use super::part_state::{details, execution_id};
use super::response::{EnvironmentStatus, Status, StatusDetails};
use super::step_metrics::metrics;
use crate::api::wire::Timestamp;
use crate::engine::deployment::is_outdated;
use crate::engine::shown::{self, PartPhase, ShownProgress, ShownState};
use crate::error::Result;
use crate::store;
use crate::store::deployment::Part;

/// The data from which the state of one job is derived.
pub(super) struct JobSnapshot<'a> {
    pub(super) job: &'a job::Model,
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
        match &self.job.deployed {
            _ if self.shown().is_error() => ServiceDeploymentStatusEnum::OutOfDate,
            None if forced => ServiceDeploymentStatusEnum::NeverDeployed,
            None => ServiceDeploymentStatusEnum::UpToDate,
            Some(_) if is_outdated(self.job) => ServiceDeploymentStatusEnum::OutOfDate,
            Some(_) => ServiceDeploymentStatusEnum::UpToDate,
        }
    }

    fn details(&self) -> StatusDetails {
        details(self.part.map(|(part, deployment)| (part, deployment)), self.doing())
    }

    /// The status in a list, where open requests are not counted per job.
    pub(super) fn status_among(&self) -> Status {
        self.status(i32::from(self.part.is_some_and(|(part, _)| !part.progress.is_final())))
    }

    pub(super) fn status(&self, requests: i32) -> Status {
        let deployment = self.part.map(|(_, deployment)| deployment);
        let queued = deployment.filter(|deployment| deployment.progress == Progress::Queued);
        Status {
            id: self.job.id.0,
            state: self.shown().into(),
            service_deployment_status: self.deployment_status(),
            last_deployment_date: deployment
                .map(|deployment| Timestamp(deployment.started_at.unwrap_or(deployment.created_at))),
            is_part_last_deployment: deployment.is_some()
                && deployment.map(|deployment| deployment.id) == self.newest.map(|row| row.id),
            steps: self.part.map(|(part, deployment)| metrics(part, deployment, &self.runs)),
            execution_id: deployment.map(execution_id),
            status_details: self.details(),
            deployment_request_id: queued.map(|deployment| deployment.id.0),
            deployment_requests_count: requests,
        }
    }
}

/// The data from which the states of an environment and its jobs are derived.
pub(super) struct EnvironmentSnapshot {
    pub(super) environment: EnvironmentId,
    pub(super) jobs: Vec<job::Model>,
    pub(super) parts: HashMap<JobId, Part>,
    pub(super) runs: Vec<run::Model>,
    pub(super) newest: Option<deployment::Model>,
}

impl EnvironmentSnapshot {
    pub(super) async fn read(db: &DatabaseConnection, environment: EnvironmentId) -> Result<Self> {
        let mut jobs: Vec<job::Model> = Vec::new();
        loop {
            let after = jobs.last().map(|job| (job.created_at, job.id));
            let page = store::job::list_by_environment(db, environment, after, store::PAGE).await?;
            if page.is_empty() {
                break;
            }
            jobs.extend(page);
        }
        let parts = store::deployment::newest_parts_by_environment(db, environment).await?;
        let mut runs = Vec::new();
        for ids in run_ids(parts.values().map(|(part, _)| part)).chunks(500) {
            runs.extend(store::run::list_by_ids(db, ids.to_vec()).await?);
        }
        let newest = store::deployment::newest_by_environment(db, environment).await?;
        Ok(Self { environment, jobs, parts, runs, newest })
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = JobSnapshot<'_>> {
        self.jobs.iter().map(|job| {
            let part = self.parts.get(&job.id);
            let runs = part.map(|(part, _)| PartRuns::of(part, &self.runs)).unwrap_or_default();
            JobSnapshot { job, part, runs, newest: self.newest.as_ref() }
        })
    }

    pub(super) fn environment(&self) -> EnvironmentStatus {
        let shown: Vec<ShownState> = self.jobs().map(|job| job.shown()).collect();
        let statuses: Vec<_> = self.jobs().map(|job| job.deployment_status()).collect();
        let deployment_status = [ServiceDeploymentStatusEnum::OutOfDate, ServiceDeploymentStatusEnum::UpToDate]
            .into_iter()
            .find(|status| statuses.contains(status))
            .unwrap_or(ServiceDeploymentStatusEnum::NeverDeployed);
        let newest = self.newest.as_ref();
        let last = shown::of_job(newest.map(ShownProgress::of_deployment), PartPhase::Idle);
        // An open deployment counts even before it reaches its first job.
        let together = if last.is_open() { last } else { shown::of_environment(&shown) };
        EnvironmentStatus {
            id: self.environment.0,
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
