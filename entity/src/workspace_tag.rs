//! A tag on a workspace.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TagId, WorkspaceId, WorkspaceTagId};

/// Row of `workspace_tag`; unique by workspace and tag.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_tag")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkspaceTagId,
    pub organization_id: OrganizationId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub tag_id: TagId,
}

impl ActiveModelBehavior for ActiveModel {}
