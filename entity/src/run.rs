//! A run: one execution of a job.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, JobId, RunId};
use crate::run_spec::{BuiltImage, RunSpec};

/// State of a run; changed only through `store::run::advance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// Waits for a place, or for its next attempt.
    Queued,
    /// Handed to a runner.
    Running,
    /// Ended with exit code 0.
    Succeeded,
    /// Ended in any other way.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl RunState {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A time of the schedule.
    Schedule,
    /// A deployment that the event belongs to.
    Deployment,
    /// A deployment that names the event.
    Force,
    /// Somebody who asked for this run alone.
    Manual,
}

/// Which command of the job is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    Cron,
    Start,
    Stop,
    Delete,
    /// No command of the job: its image is built.
    Build,
    /// A step of a workspace; it has no job.
    Workspace,
    /// No command of the job: its schedule is given to its cluster, or taken from it.
    Apply,
}

impl Event {
    /// The value of the built-in variable `QOVERY_JOB_ACTION`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cron => "CRON",
            Self::Start => "START",
            Self::Stop => "STOP",
            Self::Delete => "DELETE",
            Self::Build => "BUILD",
            Self::Workspace => "WORKSPACE",
            Self::Apply => "APPLY",
        }
    }
}

/// Which runner executed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunnerKind {
    Docker,
    Process,
    Kubernetes,
}

/// Row of `run`; unique by job and scheduled time, and by number.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RunId,
    /// Counts the runs of the installation from 1.
    pub number: i64,
    pub job_id: Option<JobId>,
    pub deployment_id: Option<DeploymentId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub trigger: Trigger,
    pub event: Event,
    pub scheduled_for: Option<DateTimeUtc>,
    pub state: RunState,
    /// 1 for the first start.
    pub attempt: i32,
    pub spec: RunSpec,
    pub runner: Option<RunnerKind>,
    /// A queued run is not claimed before.
    pub not_before: DateTimeUtc,
    /// When the first attempt began.
    pub started_at: Option<DateTimeUtc>,
    /// When the present attempt began; null until the runner has said so.
    pub attempt_started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    /// The server process that looks after the run.
    pub lease_owner: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
    /// How many lines of the present attempt are stored.
    pub attempt_lines: i64,
    /// How many lines of all attempts are stored.
    pub total_lines: i64,
    /// Not claimed while an older run of the job's schedule is open.
    pub in_turn: bool,
    /// What the caller named the request for the run by; unique in the job.
    pub idempotency_key: Option<String>,
    /// The engine that it was handed to, so that only a server of that engine asks it.
    pub place: Option<String>,
    /// What is masked in its log, sealed.
    pub masks: Option<Vec<u8>>,
    /// Variables that the caller gave it, sealed.
    pub additions: Option<Vec<u8>>,
    /// Bytes of its log that are stored.
    pub log_bytes: i64,
    /// The log was longer than what is kept of it.
    pub log_cut: bool,
    /// When it may be deleted; null while it is open.
    pub expires_at: Option<DateTimeUtc>,
    /// What a build came to.
    pub built: Option<BuiltImage>,
    /// When its runner was first asked to stop the present attempt, and answered.
    pub stop_asked_at: Option<DateTimeUtc>,
    /// Its name on its runner, where that does not follow from its id.
    pub step: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new run, queued by force at `now` and not stored yet.
    #[must_use]
    pub fn queued(job_id: impl Into<Option<JobId>>, event: Event, spec: RunSpec, now: DateTimeUtc) -> Self {
        Self {
            id: RunId::create(),
            number: 0,
            job_id: job_id.into(),
            deployment_id: None,
            created_at: now,
            updated_at: now,
            trigger: Trigger::Force,
            event,
            scheduled_for: None,
            state: RunState::Queued,
            attempt: 1,
            spec,
            runner: None,
            not_before: now,
            started_at: None,
            attempt_started_at: None,
            finished_at: None,
            cancel_requested_at: None,
            exit_code: None,
            reason: None,
            lease_owner: None,
            lease_until: None,
            attempt_lines: 0,
            total_lines: 0,
            in_turn: false,
            idempotency_key: None,
            place: None,
            masks: None,
            additions: None,
            log_bytes: 0,
            log_cut: false,
            expires_at: None,
            built: None,
            stop_asked_at: None,
            step: None,
        }
    }
}
