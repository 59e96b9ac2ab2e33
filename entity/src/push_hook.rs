//! A push hook: an address to which providers deliver the pushes that deploy the jobs of an organization.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, PushHookId};

/// Row of `push_hook`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_hook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PushHookId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    /// What deliveries are signed with, sealed for this row.
    pub secret: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
