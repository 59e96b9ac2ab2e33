//! The current state of a rule for one job, environment, workspace or cluster. No row means that all is well.

use sea_orm::entity::prelude::*;

use crate::id::{AlertId, AlertRuleId, ClusterId, EnvironmentId, JobId, RunId, WorkspaceId};

/// The state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertState {
    /// The condition does not hold for long enough yet, or not often enough.
    Pending,
    /// The condition holds.
    Triggered,
    /// A receiver has accepted a message about it.
    Notified,
    /// The condition holds, but a silence keeps it from being told.
    Suppressed,
}

/// Row of `alert`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertId,
    #[sea_orm(unique_key = "subject")]
    pub rule_id: AlertRuleId,
    /// The id of the job, the environment, the workspace or the cluster.
    #[sea_orm(unique_key = "subject")]
    pub subject_id: Uuid,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    /// The newest run.
    pub run_id: Option<RunId>,
    pub workspace_id: Option<WorkspaceId>,
    /// The job that waits, or whose plan found the drift.
    pub workspace_job_id: Option<i32>,
    pub cluster_id: Option<ClusterId>,
    pub state: AlertState,
    /// Since when the condition holds.
    pub since: DateTimeUtc,
    /// When it was last seen to hold.
    pub seen_at: DateTimeUtc,
    /// How often it was seen.
    pub times: i32,
    /// When a pending alert has held for long enough, or the silence of a suppressed one ends.
    pub due_at: Option<DateTimeUtc>,
    /// When a message about it was last stored.
    pub told_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
    /// Why the newest cause was told or not.
    pub decision: String,
}

impl ActiveModelBehavior for ActiveModel {}
