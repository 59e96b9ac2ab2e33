//! A key that sealed values of the database need. Only its fingerprint is stored.

use sea_orm::entity::prelude::*;

/// Row of `seal_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seal_key")]
pub struct Model {
    /// The fingerprint, in hexadecimal digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// When a server began to seal with the key.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
