//! A resource address that a workspace job targets or replaces.

use sea_orm::entity::prelude::*;

use crate::id::{AddressId, OrganizationId, WorkspaceId};

/// Row of `workspace_address`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_address")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub job_id: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
    /// `TARGET` or `REPLACE`.
    pub kind: String,
}

impl ActiveModelBehavior for ActiveModel {}
