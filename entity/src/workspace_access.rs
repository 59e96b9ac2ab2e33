//! The permissions of a team on one workspace.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, WorkspaceAccessId, WorkspaceId};

/// Row of `workspace_access`; unique by workspace and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_access")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceAccessId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// The name of the team.
    pub name: String,
    pub manage_state: bool,
    pub manage_workspace: bool,
    pub manage_job: bool,
    pub plan_job: bool,
    pub approve_job: bool,
    pub role: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
