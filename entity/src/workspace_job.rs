//! A workspace job: a run of a workspace through the steps of a template. Its id is a number.

use sea_orm::entity::prelude::*;

use crate::id::{ConfigurationVersionId, OrganizationId, StateVersionId, WorkspaceId, WorkspacePushId};

/// The status of a workspace job or step, stored under the names of the Terrakube API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "camelCase")]
pub enum JobStatus {
    /// Waiting for its turn.
    Pending,
    /// Its step is waiting for a free slot.
    Queue,
    Running,
    WaitingApproval,
    /// Approved; the engine has not continued yet.
    Approved,
    Completed,
    Failed,
    Rejected,
    Cancelled,
    /// For steps only: the step was not needed, or not reached.
    NotExecuted,
}

impl JobStatus {
    /// Whether this is a final status.
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
    /// Why the job failed, if that is not in the log of a step.
    pub output: Option<String>,
    pub commit_id: Option<String>,
    /// The team whose approval is awaited; empty if anyone with the permission may approve.
    pub approval_team: Option<String>,
    /// The template of the steps, as base64 of YAML.
    pub tcl: String,
    pub override_source: Option<String>,
    pub override_branch: Option<String>,
    pub template_reference: Option<String>,
    pub via: String,
    pub refresh: bool,
    pub refresh_only: bool,
    /// Whether the plan has changes.
    pub plan_changes: bool,
    pub target_addrs: Option<Json>,
    pub replace_addrs: Option<Json>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    /// Who approved or rejected the job last.
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTimeUtc>,
    /// Data that clients keep with the job.
    pub context: Option<Json>,
    /// With whose rights the job acts, as `access::principal` writes it; none for jobs of earlier releases.
    pub principal: Option<String>,
    /// Whether the job changes nothing: it ends before its first approval or apply, waits for no other job, and takes no lock.
    pub plan_only: bool,
    /// Whether whoever asked for the job approves its plan beforehand.
    pub auto_apply: bool,
    /// Whether the plan is kept for later, so that other jobs do not wait for its approval.
    pub save_plan: bool,
    /// Whether a plan without changes does not end the job, but is applied like any other.
    pub allow_empty_apply: bool,
    /// Whether the job removes everything, as whoever asked for it says.
    pub is_destroy: bool,
    /// The uploaded files that are used instead of the source of the workspace.
    pub configuration_version_id: Option<ConfigurationVersionId>,
    /// Values of Terraform variables for this job alone, sealed.
    pub variables: Option<Vec<u8>>,
    /// Since when an approval is awaited.
    pub asked_at: Option<DateTimeUtc>,
    /// The newest state when the plan was made.
    pub planned_state_id: Option<StateVersionId>,
    /// The push that started the job.
    pub push_id: Option<WorkspacePushId>,
    /// The pull request that the job plans.
    pub pr_number: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
