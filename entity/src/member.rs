//! Membership of a person in an organization, with a role.

use sea_orm::entity::prelude::*;

use crate::id::{CustomRoleId, OrganizationId, PersonId};

/// The role of a member or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Everything; cannot be removed.
    Owner,
    /// Everything.
    Admin,
    /// Everything inside projects.
    Devops,
    /// The organization and its clusters, no project.
    Billing,
    /// Reads everything.
    Viewer,
    /// The permissions of the custom role in the same row.
    Custom,
}

/// Row of `member`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub person_id: PersonId,
    pub created_at: DateTimeUtc,
    pub role: Role,
    pub custom_role_id: Option<CustomRoleId>,
}

impl ActiveModelBehavior for ActiveModel {}
