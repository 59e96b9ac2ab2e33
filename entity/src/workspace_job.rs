//! A run of a workspace with the steps of a template; its id is a number of the installation.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, WorkspaceId};

/// How far a run of a workspace, or a step of it, has come; stored under the names of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "camelCase")]
pub enum JobStatus {
    /// Waits for its turn.
    Pending,
    /// Its step waits for a place to run.
    Queue,
    Running,
    WaitingApproval,
    /// Somebody approved; the engine has not gone on yet.
    Approved,
    Completed,
    Failed,
    Rejected,
    Cancelled,
    /// Of a step only: it was not needed, or came too late.
    NotExecuted,
}

impl JobStatus {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Queue | Self::Running | Self::WaitingApproval | Self::Approved => false,
            Self::Completed | Self::Failed | Self::Rejected | Self::Cancelled | Self::NotExecuted => true,
        }
    }
}

/// Row of `workspace_job`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub status: JobStatus,
    pub comments: Option<String>,
    /// Why it failed, where that is not in the log of a step.
    pub output: Option<String>,
    pub commit_id: Option<String>,
    /// Who approves, while it waits for them; empty where anybody does who may.
    pub approval_team: Option<String>,
    /// Base64 of YAML: what its steps were made from.
    pub tcl: String,
    pub override_source: Option<String>,
    pub override_branch: Option<String>,
    pub template_reference: Option<String>,
    pub via: String,
    pub refresh: bool,
    pub refresh_only: bool,
    /// Whether the plan found something to change.
    pub plan_changes: bool,
    pub target_addrs: Option<Json>,
    pub replace_addrs: Option<Json>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    /// Who approved or rejected it last.
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTimeUtc>,
    /// What clients keep with it.
    pub context: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
