//! What the page of an environment shows, read at one moment.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, EnvironmentId, JobId, StageId};
use entity::job_spec::{JobSpec, JobType};
use entity::{deployment, job, job_check, stage};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::console::held_times::{HeldTime, held_times};
use crate::engine::shown::ShownState;
use crate::engine::state::{EnvironmentSnapshot, Freshness, JobSnapshot};
use crate::error::{Error, Result};
use crate::store;

/// How many jobs one page has.
pub(super) const JOBS: usize = 200;

/// How many deployments one page has.
pub(super) const DEPLOYMENTS: u64 = 20;

/// The state of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobState {
    pub(super) id: JobId,
    pub(super) stage: Option<StageId>,
    pub(super) shown: ShownState,
    pub(super) freshness: Freshness,
}

impl JobState {
    fn of(job: &JobSnapshot<'_>, stage: Option<StageId>) -> Self {
        Self { id: job.id, stage, shown: job.shown(), freshness: job.freshness() }
    }
}

/// A job of the page.
pub(super) struct JobLine {
    pub(super) state: JobState,
    pub(super) name: String,
    pub(super) next: Option<DateTime<Utc>>,
    /// Why that time does not run.
    pub(super) held: Option<HeldTime>,
    /// The configuration that is in effect.
    pub(super) spec: JobSpec,
    pub(super) is_scheduled: bool,
}

/// Which part of an environment is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// The page of jobs, from 0.
    pub(super) page: usize,
    /// Only deployments before this one.
    pub(super) before: Option<DeploymentId>,
}

/// An environment with its stages, jobs and deployments.
pub(super) struct EnvironmentView {
    pub(super) snapshot: EnvironmentSnapshot,
    /// The number of all jobs, and of those that are out of date.
    pub(super) total: usize,
    pub(super) outdated: usize,
    pub(super) stages: Vec<stage::Model>,
    pub(super) jobs: Vec<JobLine>,
    /// Those that run elsewhere.
    pub(super) checks: Vec<(job::Model, job_check::Model)>,
    pub(super) deployments: Vec<deployment::Model>,
}

impl EnvironmentView {
    pub(super) async fn read(app: &App, id: EnvironmentId, window: Window) -> Result<Self> {
        let now = app.clock.now();
        store::snapshot(&app.db, async |tx| Self::read_in(tx, id, window, now).await).await
    }

    async fn read_in(tx: &DatabaseTransaction, id: EnvironmentId, window: Window, now: DateTime<Utc>) -> Result<Self> {
        let mut states = Vec::new();
        let snapshot = EnvironmentSnapshot::read(tx, id, |job, stage| states.push(JobState::of(job, stage))).await?;
        let total = states.len();
        let outdated = states.iter().filter(|state| state.freshness == Freshness::OutOfDate).count();
        let stages = store::stage::list(tx, id).await?;
        let places: HashMap<StageId, usize> = stages.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
        // In the order in which they are deployed.
        states.sort_by_key(|state| state.stage.and_then(|stage| places.get(&stage).copied()));
        let states: Vec<_> = states.into_iter().skip(window.page * JOBS).take(JOBS).collect();
        let ids: Vec<JobId> = states.iter().map(|state| state.id).collect();
        let next = store::job_schedule::of_jobs(tx, ids.clone()).await?;
        let rows = store::job::list_by_ids(tx, ids).await?;
        let in_effect = |row: &job::Model| row.deployed.clone().unwrap_or_else(|| row.spec.clone());
        let rows: Vec<_> = rows.into_iter().map(|row| (in_effect(&row), row)).collect();
        let nexts: Vec<_> = rows.iter().map(|(spec, row)| (row.id, spec, next.get(&row.id).copied())).collect();
        let mut held = held_times(tx, &nexts, now).await?;
        let mut rows: HashMap<_, _> = rows.into_iter().map(|(spec, row)| (row.id, (spec, row))).collect();
        let line = |state: JobState| {
            let (spec, row) = rows.remove(&state.id)?;
            let is_scheduled = row.job_type == JobType::Cron;
            let (next, held) = (next.get(&row.id).copied(), held.remove(&row.id));
            Some(JobLine { state, name: row.name, next, held, spec, is_scheduled })
        };
        let jobs = states.into_iter().filter_map(line).collect();
        let deployments = store::deployment::list_newest(tx, id, window.before, DEPLOYMENTS + 1).await?;
        let checks = store::job_check::list_by_environment(tx, id, None).await?;
        Ok::<_, Error>(Self { snapshot, total, outdated, stages, jobs, checks, deployments })
    }
}
