//! A code of `terraform login`, which is exchanged for a token once. Only its SHA-256 is stored.

use sea_orm::entity::prelude::*;

use crate::id::LoginCodeId;

/// Row of `login_code`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LoginCodeId,
    pub hash: String,
    /// Who agreed, as a principal.
    pub principal: String,
    /// The SHA-256 of what only the program knows, in base64.
    pub challenge: String,
    /// Where the program listens.
    pub redirect_uri: String,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
