//! A key that signs personal and team tokens.

use sea_orm::entity::prelude::*;

use crate::id::SigningKeyId;

/// Row of `signing_key`. The newest key signs; older ones verify what they signed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SigningKeyId,
    pub created_at: DateTimeUtc,
    /// The key, sealed.
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
