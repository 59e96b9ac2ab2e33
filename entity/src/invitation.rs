//! An invitation to an organization.

use sea_orm::entity::prelude::*;

use crate::id::{CustomRoleId, InvitationId, OrganizationId};
use crate::member::Role;

/// Row of `invitation`; unique by organization and address.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// In lower case.
    pub email: String,
    pub role: Role,
    pub custom_role_id: Option<CustomRoleId>,
    pub inviter: String,
}

impl ActiveModelBehavior for ActiveModel {}
