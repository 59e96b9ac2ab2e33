//! The JSON form of a plan that was saved for later, as the programs ask for it.

use sea_orm::entity::prelude::*;

use crate::id::WorkspaceStepId;

/// Row of `plan_output`; it is deleted with its step.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plan_output")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub step_id: WorkspaceStepId,
    pub created_at: DateTimeUtc,
    /// The whole document, sealed.
    pub whole: Vec<u8>,
    /// What is shown of it, without sensitive values, sealed.
    pub redacted: Vec<u8>,
    /// The schemas of its resources, sealed; none if they are missing or too large.
    pub schemas: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
