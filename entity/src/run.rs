//! A run: one execution of a job.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, JobId, RegistryId, RunId};

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
    Schedule,
    Deployment,
    Force,
}

/// Which command of the job is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    Cron,
    Start,
    Stop,
    Delete,
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
        }
    }
}

/// Which runner executed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunnerKind {
    Docker,
    Process,
}

/// What a run executes: taken from the job when the run is created, so that later edits do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct RunSpec {
    /// Without tag; the registry's host comes from the registry.
    pub image_name: Option<String>,
    pub image_tag: Option<String>,
    pub registry_id: Option<RegistryId>,
    pub entrypoint: Option<String>,
    #[serde(default)]
    pub arguments: Vec<String>,
    pub cpu_milli: i32,
    pub memory_mib: i32,
    /// How often a failed attempt is started again.
    pub max_nb_restart: i32,
    /// For all attempts together, in seconds; 0 sets no limit.
    pub max_duration_seconds: i32,
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
}

impl ActiveModelBehavior for ActiveModel {}
