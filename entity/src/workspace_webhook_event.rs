//! What a webhook of a workspace's repository starts, and when.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, WorkspaceId, WorkspaceWebhookEventId, WorkspaceWebhookId};

/// Row of `workspace_webhook_event`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_webhook_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceWebhookEventId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub webhook_id: WorkspaceWebhookId,
    /// Regular expressions, separated by commas; empty for the branch of the workspace.
    pub branch: Option<String>,
    /// Patterns of changed paths, separated by commas; empty for all.
    pub path: Option<String>,
    /// `REGEX`, or `PATTERN` for globs.
    pub path_type: String,
    /// The template of the jobs; by default that of the workspace.
    pub template_id: Option<String>,
    /// `PUSH` or `PULL_REQUEST`.
    pub event: String,
    /// Of several that fit, the one with the smallest number counts.
    pub priority: Option<i32>,
    pub pr_workflow_enabled: bool,
    pub pr_apply_enabled: bool,
}

impl ActiveModelBehavior for ActiveModel {}
