//! An access token of a person or a team.

use sea_orm::entity::prelude::*;

use crate::id::{AccessTokenId, PersonId};

/// Row of `access_token`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "access_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccessTokenId,
    /// None for a token of a team.
    pub person_id: Option<PersonId>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    /// The name that the token acts under.
    pub name: String,
    pub description: Option<String>,
    /// The team of a token without a person. A personal token acts with the groups that its person has now.
    pub groups: Json,
    /// SHA-256, in hexadecimal.
    pub hash: String,
    pub expires_at: Option<DateTimeUtc>,
    /// To within a minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// The person who created it, if a person did.
    pub creator_id: Option<PersonId>,
    /// The days, hours and minutes that were asked for; clients compare them with what they sent.
    pub lifetime: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
