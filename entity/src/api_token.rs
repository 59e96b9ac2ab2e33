//! An API token. Only its SHA-256 is stored.

use sea_orm::entity::prelude::*;

use crate::id::{CustomRoleId, OrganizationId, PersonId, TokenId};
use crate::member::Role;

/// Row of `api_token`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TokenId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: Option<String>,
    pub role: Role,
    pub custom_role_id: Option<CustomRoleId>,
    /// SHA-256 of the token, in lower-case hexadecimal.
    pub hash: String,
    pub expires_at: Option<DateTimeUtc>,
    /// To within a minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// The person that it acts as, if any.
    pub person_id: Option<PersonId>,
}

impl ActiveModelBehavior for ActiveModel {}
