//! A run: one execution of a job.

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, GroupId, JobId, RegistryId, RunId};
use crate::job::{CpuArchitecture, GitRepository, Healthchecks};

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

/// A commit that an image was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The whole hash.
    pub id: String,
    pub at: DateTimeUtc,
    pub author: String,
    /// The first line.
    pub message: String,
}

/// What a build came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Built {
    /// The name of the image on the engine that built it.
    pub image: String,
    /// None where the Dockerfile came from no repository.
    pub commit: Option<Commit>,
}

/// What a build starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildSpec {
    pub git_repository: Option<GitRepository>,
    /// The commit to build; without it the newest of the branch.
    pub commit_id: Option<String>,
    pub dockerfile_path: Option<String>,
    pub dockerfile_raw: Option<String>,
    pub target_stage: Option<String>,
    pub submodules: bool,
    pub cache: bool,
}

/// What a run executes: taken from the job when the run is created, so that later edits do not change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
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
    /// The whole name of an image that is on the engine already, because it was built there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_image: Option<String>,
    /// What is to be built; then nothing else of this is used but the limit of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildSpec>,
    /// Seconds before the second attempt, doubled before each further one; the default is 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_backoff_seconds: Option<i32>,
    /// Exit codes beside 0 that count as success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_exit_codes: Vec<i32>,
    /// Exit codes after which no further attempt is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fail_fast_exit_codes: Vec<i32>,
    /// Seconds between the polite and the forced end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace_seconds: Option<i32>,
    /// Seconds behind its scheduled time after which it is not started any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only_root: bool,
    /// How many runs and for how many days they are kept.
    #[serde(default, skip_serializing_if = "Keep::is_default")]
    pub keep: Keep,
    /// What only a cluster of Kubernetes acts on.
    #[serde(default, skip_serializing_if = "PodSpec::is_default")]
    pub pod: PodSpec,
}

/// What a job asks of a cluster of Kubernetes, beside what every place of a run can give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodSpec {
    pub gpu: i32,
    pub ephemeral_storage_gib: Option<i32>,
    pub cpu_architecture: Option<CpuArchitecture>,
    pub port: Option<i32>,
    pub healthchecks: Healthchecks,
    /// Labels that its node must have.
    pub node_labels: BTreeMap<String, String>,
    /// Empty for the one of the namespace.
    pub service_account: String,
    pub automount_token: bool,
    /// How long a finished Job is kept, in seconds.
    pub ttl_seconds: Option<i32>,
    pub annotations_groups: Vec<GroupId>,
    pub labels_groups: Vec<GroupId>,
}

impl PodSpec {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How long runs of a job are kept: as long as both limits allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub succeeded: i32,
    pub failed: i32,
    pub succeeded_days: i32,
    pub failed_days: i32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { succeeded: 100, failed: 200, succeeded_days: 30, failed_days: 90 }
    }
}

impl Keep {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
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
    pub built: Option<Built>,
    /// When its runner was first asked to stop the present attempt, and answered.
    pub stop_asked_at: Option<DateTimeUtc>,
    /// Its name on its runner, where that does not follow from its id.
    pub step: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
