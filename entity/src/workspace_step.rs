//! A step of a run of a workspace.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, RunId, WorkspaceId, WorkspaceStepId};
use crate::workspace_job::JobStatus;

/// Row of `workspace_step`; unique by job and position.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceStepId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub job_id: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// The place in the order of the steps.
    pub position: i32,
    /// The number that the template gives it.
    pub number: i32,
    pub name: String,
    pub status: JobStatus,
    /// The entry of the flow.
    pub spec: Json,
    /// What executes it.
    pub run_id: Option<RunId>,
    /// The plan that it made, sealed.
    pub plan: Option<Vec<u8>>,
    /// Hash of the credential with which its process reaches the state.
    pub token: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
