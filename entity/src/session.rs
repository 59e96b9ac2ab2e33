//! A session of the console. Only the SHA-256 of its cookie is stored.

use sea_orm::entity::prelude::*;

use crate::id::SessionId;

/// Row of `session`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// SHA-256 of the cookie, in lower-case hexadecimal.
    pub hash: String,
    /// Whose rights it has: the stored form of an `access::principal::Principal`.
    pub principal: String,
    /// The verified address of a person who signed in at the OIDC issuer.
    pub email: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: DateTimeUtc,
    /// To within a minute.
    pub used_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
