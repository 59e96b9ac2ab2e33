//! A step of a workspace job.

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
    /// The position in the order of the steps.
    pub position: i32,
    /// The number of the step in the template.
    pub number: i32,
    pub name: String,
    pub status: JobStatus,
    /// The entry in the template.
    pub spec: Json,
    /// The run that executes the step.
    pub run_id: Option<RunId>,
    /// The plan of the step, sealed.
    pub plan: Option<Vec<u8>>,
    /// The variables that the plan was made with, sealed.
    pub inputs: Option<Vec<u8>>,
    /// The hash of the credential by which the process of the step accesses the state.
    pub token: Option<String>,
    /// Whether that credential may also write the state; none for steps of earlier releases, which may.
    pub writes_state: Option<bool>,
}

impl ActiveModelBehavior for ActiveModel {}
