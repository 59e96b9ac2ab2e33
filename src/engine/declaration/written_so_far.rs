//! What a declaration has written in its transaction, and what has to wait for everything else.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::{JobId, StageId};
use entity::{job, stage};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::command::{self, Removal};
use crate::engine::export::Exported;
use crate::engine::job_check::Settled;
use crate::engine::requester::Requester;
use crate::error::Result;
use crate::store;

/// What has variables that were changed.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Touched {
    Project,
    Environment,
    Job(JobId),
}

/// What was written so far in a transaction.
pub(super) struct Written<'a> {
    pub(super) app: &'a App,
    pub(super) by: &'a Requester,
    pub(super) stored: &'a Exported,
    pub(super) now: DateTime<Utc>,
    /// What was decided about checks before they changed.
    pub(super) settled: Settled,
    /// In their order, by what they will be called.
    pub(super) stages: Vec<(StageId, String)>,
    pub(super) jobs: HashMap<JobId, job::Model>,
    pub(super) created: i64,
    /// Whose variables were changed.
    pub(super) touched: HashSet<Touched>,
    pub(super) deleted_stages: Vec<StageId>,
    pub(super) deleted_jobs: Vec<job::Model>,
}

impl<'a> Written<'a> {
    pub(super) fn new(app: &'a App, by: &'a Requester, stored: &'a Exported, now: DateTime<Utc>) -> Self {
        Self {
            app,
            by,
            stored,
            now,
            settled: Settled::default(),
            stages: stored.stages.iter().map(|row| (row.id, row.name.clone())).collect(),
            jobs: stored.jobs.iter().map(|of| (of.job.id, of.job.clone())).collect(),
            created: 0,
            touched: HashSet::new(),
            deleted_stages: Vec::new(),
            deleted_jobs: Vec::new(),
        }
    }

    pub(super) async fn record(&self, tx: &DatabaseTransaction, change: Change) -> Result<()> {
        audit::record(self.app, self.by, self.stored.environment.organization_id, tx, change).await
    }

    /// What has to wait for everything else: stages that are empty now, jobs that are deleted, and the marks of changed variables.
    /// Returns what is to be reported when all of it is stored.
    pub(super) async fn finish(self, tx: &DatabaseTransaction) -> Result<Settled> {
        for id in &self.deleted_stages {
            store::row::delete::<stage::Model>(tx, *id).await?;
        }
        let (project, environment) = (self.stored.project.id, self.stored.environment.id);
        if self.touched.contains(&Touched::Project) {
            store::variable::touch(tx, project, None, None, self.now).await?;
        } else if self.touched.contains(&Touched::Environment) {
            store::variable::touch(tx, project, Some(environment), None, self.now).await?;
        } else {
            for touched in &self.touched {
                let Touched::Job(id) = touched else { continue };
                store::variable::touch(tx, project, Some(environment), Some(*id), self.now).await?;
            }
        }
        if !self.deleted_jobs.is_empty() {
            let removal = (self.deleted_jobs, Removal::Complete);
            command::delete_jobs_in(tx, self.by, &self.stored.environment, removal, self.now).await?;
        }
        Ok(self.settled)
    }
}
