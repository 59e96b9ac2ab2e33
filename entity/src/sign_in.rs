//! A sign-in to the console that has begun. It can be completed once.

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
    /// Whom a link signs in; none on the way to the OIDC issuer.
    pub principal: Option<String>,
    /// What the answer of the OIDC issuer is checked against, sealed.
    pub sealed: Option<Vec<u8>>,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
