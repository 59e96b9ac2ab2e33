//! The plan of a workspace step as it is shown, without sensitive values.

use sea_orm::entity::prelude::*;

use crate::id::{WorkspaceId, WorkspaceStepId};

/// Row of `shown_plan`; it is deleted with its step.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shown_plan")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub step_id: WorkspaceStepId,
    pub workspace_id: WorkspaceId,
    pub job_id: i32,
    pub created_at: DateTimeUtc,
    /// How many resources were changed outside of the tool; 0 as soon as an apply has settled it.
    pub drift: i32,
    /// None if the plan is too large to show.
    pub sealed: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
