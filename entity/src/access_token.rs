//! A token of a person, or of a group of people.

use sea_orm::entity::prelude::*;

use crate::id::{AccessTokenId, PersonId};

/// Row of `access_token`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "access_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccessTokenId,
    /// None for a token of a group.
    pub person_id: Option<PersonId>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    /// In whose name it acts.
    pub name: String,
    pub description: Option<String>,
    /// The groups that it belongs to.
    pub groups: Json,
    /// SHA-256, in hexadecimal.
    pub hash: String,
    pub expires_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
