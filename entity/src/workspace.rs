//! A workspace: a Terraform root module with its source, variables and state.

use sea_orm::entity::prelude::*;

use crate::id::{
    ClusterId, OrganizationId, ProjectId, SshKeyId, VcsId, WorkspaceId, WorkspaceStepId, WorkspaceWebhookId,
};

/// Row of `workspace`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceId,
    pub organization_id: OrganizationId,
    pub project_id: Option<ProjectId>,
    pub vcs_id: Option<VcsId>,
    pub ssh_key_id: Option<SshKeyId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    pub description: Option<String>,
    /// The URL of a repository, or `empty`.
    pub source: String,
    pub branch: String,
    /// The folder of the root module in the repository.
    pub folder: String,
    pub terraform_version: String,
    /// `terraform` or `tofu`.
    pub iac_type: String,
    pub execution_mode: String,
    /// Whether new jobs are blocked.
    pub locked: bool,
    pub lock_description: Option<String>,
    /// Whether the workspace is hidden but kept.
    pub deleted: bool,
    pub default_template: Option<String>,
    pub allow_remote_apply: bool,
    pub module_ssh_key: Option<String>,
    pub last_job_status: String,
    pub last_job_date: Option<DateTimeUtc>,
    /// The lock of the state, as described by its holder.
    pub state_lock: Option<Json>,
    /// The step that holds the lock, if it is held by one.
    pub state_lock_step: Option<WorkspaceStepId>,
    /// The webhook whose deliveries start jobs.
    pub webhook_id: Option<WorkspaceWebhookId>,
    /// Whether jobs that destroy, and a deletion with a state, are refused.
    pub destroy_protection: bool,
    /// Where its steps run; none leaves it to the server.
    pub cluster_id: Option<ClusterId>,
    /// Whether `terraform.workspace` is its name in its steps; otherwise it is `default`.
    pub sees_name: bool,
    /// Who blocked new jobs, while they are; none for those that an earlier release blocked.
    pub locked_by: Option<String>,
    pub locked_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
