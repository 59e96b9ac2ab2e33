//! A link that signs in to the console once. Only the SHA-256 of its secret is stored.

use sea_orm::entity::prelude::*;

use crate::id::SignInId;

/// Row of `sign_in`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignInId,
    /// SHA-256 of the secret in its address, in lower-case hexadecimal.
    pub hash: String,
    /// Whom it signs in: the stored form of an `access::principal::Principal`.
    pub principal: String,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
