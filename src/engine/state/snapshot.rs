//! The data from which the states of jobs and environments are derived.

use std::collections::HashMap;

use entity::deployment::{self, Progress};
use entity::id::{EnvironmentId, JobId, StageId};
use entity::{deployment_job, job};
use sea_orm::DatabaseTransaction;

use super::part_runs::{PartRuns, doing, run_ids};
use crate::engine::deployment::{is_outdated, runs_alike};
use crate::engine::shown::{self, PartPhase, ShownProgress, ShownState};
use crate::error::Result;
use crate::store;
use crate::store::deployment::Part;
use crate::store::job::{ComparedJob, Comparison};
use crate::store::run::LastRun;

/// Whether the configuration of a job is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    NotDeployed,
    Deployed,
    Outdated,
}

impl Configuration {
    /// Of a whole row.
    #[must_use]
    pub fn of_row(row: &job::Model) -> Self {
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

/// Whether the deployed configuration is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    NeverDeployed,
    OutOfDate,
    UpToDate,
}

/// The data from which the state of one job is derived.
pub struct JobSnapshot<'a> {
    pub id: JobId,
    pub configuration: Configuration,
    pub part: Option<&'a Part>,
    /// The newest part that no event was forced in, if `needs_part_before`.
    pub before: Option<&'a Part>,
    pub runs: PartRuns,
    /// Its newest execution.
    pub last_run: Option<LastRun>,
    /// The newest deployment of the environment.
    pub newest: Option<&'a deployment::Model>,
}

/// Whether the state of a job that is not deployed is that of an earlier part: the newest one ran its command once, and left it so.
#[must_use]
pub fn needs_part_before(newest: &deployment_job::Model, configuration: Configuration) -> bool {
    configuration == Configuration::NotDeployed && shown::only_ran_once(newest)
}

impl JobSnapshot<'_> {
    /// Its state.
    #[must_use]
    pub fn shown(&self) -> ShownState {
        let progress = |(part, deployment): &Part| ShownProgress::of_part(part, deployment);
        if self.was_left_undeployed() {
            let phase = self.before.map_or(PartPhase::Idle, |(part, _)| doing(part));
            return shown::of_job(self.before.map(progress), phase);
        }
        shown::of_job(self.part.map(progress), self.doing())
    }

    fn was_left_undeployed(&self) -> bool {
        self.part.is_some_and(|(part, _)| needs_part_before(part, self.configuration))
    }

    /// Its current activity.
    #[must_use]
    pub fn doing(&self) -> PartPhase {
        self.part.map_or(PartPhase::Idle, |(part, _)| self.runs.doing(part))
    }

    /// Whether the current configuration is deployed.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        let counts = if self.was_left_undeployed() { self.before } else { self.part };
        let forced = counts.is_none_or(|(part, _)| part.forced_event.is_some());
        match self.configuration {
            _ if self.shown().is_error() => Freshness::OutOfDate,
            Configuration::NotDeployed if forced => Freshness::NeverDeployed,
            Configuration::NotDeployed | Configuration::Deployed => Freshness::UpToDate,
            Configuration::Outdated => Freshness::OutOfDate,
        }
    }

    /// Whether its newest deployment is the newest of the environment.
    #[must_use]
    pub fn is_part_of_newest(&self) -> bool {
        self.part.is_some_and(|(_, deployment)| Some(deployment.id) == self.newest.map(|row| row.id))
    }
}

/// What the states of an environment and its stages are derived from, each value once.
#[derive(Default)]
pub struct EnvironmentSnapshot {
    pub newest: Option<deployment::Model>,
    /// In the order of their first jobs.
    shown: Vec<ShownState>,
    freshness: Vec<Freshness>,
    /// The progress of the newest deployment.
    stages: HashMap<StageId, Vec<Progress>>,
}

/// The parts from which the states of jobs that a forced run left undeployed are derived.
async fn parts_before(
    tx: &DatabaseTransaction,
    jobs: &[ComparedJob],
    newest: &HashMap<JobId, Part>,
) -> Result<HashMap<JobId, Part>> {
    let needs_one = |job: &&ComparedJob| {
        let newest = newest.get(&job.id);
        newest.is_some_and(|(part, _)| needs_part_before(part, Configuration::of(&job.comparison)))
    };
    let jobs: Vec<JobId> = jobs.iter().filter(needs_one).map(|job| job.id).collect();
    Ok(store::deployment::newest_unforced_parts(tx, &jobs).await?)
}

fn note<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

impl EnvironmentSnapshot {
    /// Reads an environment page by page, and hands each of its jobs to `see`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn read(
        tx: &DatabaseTransaction,
        environment: EnvironmentId,
        mut see: impl FnMut(&JobSnapshot<'_>, Option<StageId>),
    ) -> Result<Self> {
        let newest = store::deployment::newest_by_environment(tx, environment).await?;
        let mut all = Self { newest, ..Self::default() };
        let mut after = None;
        loop {
            let page = store::job::list_compared(tx, environment, after, store::PAGE).await?;
            let Some((page, last)) = page else { return Ok(all) };
            after = Some(last);
            let keys = page.iter().filter_map(|job| Some((job.id, job.deployment_id?))).collect();
            let parts = store::deployment::list_parts_by_keys(tx, &keys).await?;
            let before = parts_before(tx, &page, &parts).await?;
            let ids = run_ids(parts.values().map(|(part, _)| part));
            let runs = if ids.is_empty() { Vec::new() } else { store::run::list_by_ids(tx, ids).await? };
            let runs: HashMap<_, _> = runs.into_iter().map(|run| (run.id, run)).collect();
            let numbers = page.iter().filter_map(|job| job.newest_run).collect();
            let last_runs = store::run::outcomes_by_number(tx, numbers).await?;
            let mut last_runs: HashMap<_, _> = last_runs.into_iter().map(|run| (run.number, run)).collect();
            for job in &page {
                let part = parts.get(&job.id);
                let snapshot = JobSnapshot {
                    id: job.id,
                    configuration: Configuration::of(&job.comparison),
                    part,
                    before: before.get(&job.id),
                    runs: part.map(|(part, _)| PartRuns::among(part, &runs)).unwrap_or_default(),
                    last_run: job.newest_run.and_then(|number| last_runs.remove(&number)),
                    newest: all.newest.as_ref(),
                };
                let (shown, freshness, is_newest) =
                    (snapshot.shown(), snapshot.freshness(), snapshot.is_part_of_newest());
                see(&snapshot, job.stage_id);
                note(&mut all.shown, shown);
                note(&mut all.freshness, freshness);
                if let (Some(stage), Some((part, _)), true) = (job.stage_id, part, is_newest) {
                    note(all.stages.entry(stage).or_default(), part.progress);
                }
            }
        }
    }

    /// The progress of a stage in the newest deployment.
    #[must_use]
    pub fn stage(&self, id: StageId) -> &[Progress] {
        self.stages.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The state of the environment.
    #[must_use]
    pub fn environment(&self) -> ShownState {
        let last = self.last();
        // An open deployment counts even before it reaches its first job.
        if last.is_open() { last } else { shown::of_environment(&self.shown) }
    }

    /// The state after the newest deployment.
    #[must_use]
    pub fn last(&self) -> ShownState {
        shown::of_job(self.newest.as_ref().map(ShownProgress::of_deployment), PartPhase::Idle)
    }

    /// Whether the current configuration of all jobs is deployed.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        let known = |freshness: &Freshness| self.freshness.contains(freshness);
        [Freshness::OutOfDate, Freshness::UpToDate].into_iter().find(known).unwrap_or(Freshness::NeverDeployed)
    }
}
