//! A run: one execution of a job.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, JobId, OrganizationId, RunId};
use crate::run_spec::{BuiltImage, RunSpec};

/// State of a run; changed only through `store::run::{claim, advance, advance_all}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// Waiting for a free slot or for the next attempt.
    Queued,
    /// Handed to a runner.
    Running,
    /// Ended with an exit code that counts as success.
    Succeeded,
    /// Ended in any other way.
    Failed,
    /// Ended by request.
    Cancelled,
}

impl RunState {
    /// Whether this is a final state.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// The trigger of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A time of a schedule.
    Schedule,
    /// A deployment whose action implies the event.
    Deployment,
    /// A deployment that requests the event by name.
    Force,
    /// A request for this single run.
    Manual,
}

/// Which command of the job a run executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    Cron,
    Start,
    Stop,
    Delete,
    /// Builds the image of the job.
    Build,
    /// Executes a workspace step; the run has no job.
    Workspace,
    /// Applies the schedule of the job in its cluster, or removes it there.
    Apply,
}

impl Event {
    /// What executes no command of a job, and so says nothing about how the job does when it succeeds.
    pub const NO_EXECUTIONS: [Self; 2] = [Self::Build, Self::Apply];

    /// Whether a run executes a command of its job, or a workspace step.
    #[must_use]
    pub fn is_execution(self) -> bool {
        !Self::NO_EXECUTIONS.contains(&self)
    }

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

/// The kind of runner that executed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunnerKind {
    Docker,
    Process,
    Kubernetes,
    Agent,
}

/// The slots of the server that claims a run.
pub const SERVER_SLOTS: Uuid = Uuid::nil();

/// The run needs no slot: Kubernetes started it.
pub const NO_SLOTS: Uuid = Uuid::max();

/// Row of `run`; unique by job and scheduled time, and by number.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RunId,
    /// Counts from 1 within the installation.
    pub number: i64,
    pub job_id: Option<JobId>,
    pub deployment_id: Option<DeploymentId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub trigger: Trigger,
    pub event: Event,
    pub scheduled_for: Option<DateTimeUtc>,
    pub state: RunState,
    /// The number of the current attempt, from 1.
    pub attempt: i32,
    pub spec: RunSpec,
    pub runner: Option<RunnerKind>,
    /// A queued run is not claimed before this time.
    pub not_before: DateTimeUtc,
    /// When the first attempt started.
    pub started_at: Option<DateTimeUtc>,
    /// When the current attempt started, as reported by the runner.
    pub attempt_started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    /// The server process that owns the run, until its row in `server_lease` expires.
    pub lease_owner: Option<Uuid>,
    /// The end of the lease on a run of a server of release 0.2; null for the runs of others.
    pub lease_until: Option<DateTimeUtc>,
    /// How many lines of the current attempt are stored.
    pub attempt_lines: i64,
    /// The number of the last stored line, of all attempts.
    pub total_lines: i64,
    /// Whether the run waits for older runs of the schedule to end.
    pub in_turn: bool,
    /// The idempotency key of the request; unique in the job.
    pub idempotency_key: Option<String>,
    /// The engine that the run was handed to, so that only servers with that engine poll it.
    pub place: Option<String>,
    /// The texts to mask in the log, sealed.
    pub masks: Option<Vec<u8>>,
    /// Additional variables of the request, sealed.
    pub additions: Option<Vec<u8>>,
    /// The size of the stored log, in bytes.
    pub log_bytes: i64,
    /// Whether lines in the middle of the log were left out, because it is too large.
    pub log_cut: bool,
    /// When the run may be deleted; null while it is open.
    pub expires_at: Option<DateTimeUtc>,
    /// The image that a build produced.
    pub built: Option<BuiltImage>,
    /// When the runner first accepted a request to stop the current attempt.
    pub stop_asked_at: Option<DateTimeUtc>,
    /// The name of the step, if it is not derived from the id of the run.
    pub step: Option<String>,
    /// When the owner first asked a runner to start the current attempt; null while the run is queued.
    pub start_asked_at: Option<DateTimeUtc>,
    /// When the server began to stop the current attempt, or gave it up. From then on the run ends as the server decided, and
    /// its step may be removed even if it is running.
    pub stopping_at: Option<DateTimeUtc>,
    /// When the end of the current attempt was first seen, if its log or its results could not be read at once.
    pub end_seen_at: Option<DateTimeUtc>,
    /// The organizations that wait for slots take turns. Nil for a run that an older release created.
    pub organization_id: OrganizationId,
    /// Whose slots the run needs: `SERVER_SLOTS`, `NO_SLOTS`, or the id of another cluster.
    pub slots: Uuid,
    /// The position behind the beginning of the log, which is always kept: that of the line that says what is left out.
    pub log_mark: Option<i64>,
    /// The backfill that created the run.
    pub backfill_id: Option<Uuid>,
    /// Whether the schedule counts this manual run as one of its own.
    pub counts_for_schedule: Option<bool>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new run with the trigger FORCE, queued at `now` and not stored yet.
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
            start_asked_at: None,
            stopping_at: None,
            end_seen_at: None,
            organization_id: OrganizationId(Uuid::nil()),
            slots: SERVER_SLOTS,
            log_mark: None,
            backfill_id: None,
            counts_for_schedule: None,
        }
    }
}
