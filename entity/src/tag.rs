//! A tag for workspaces.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TagId};

/// Row of `tag`; unique by organization and name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tag")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TagId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}
