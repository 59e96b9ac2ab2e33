//! A key that signs the identity tokens of workspace steps.

use sea_orm::entity::prelude::*;

use crate::id::IdentityKeyId;

/// Row of `identity_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdentityKeyId,
    pub created_at: DateTimeUtc,
    /// The modulus of the public key, in base64url.
    pub modulus: String,
    /// The private key (PKCS #8), sealed.
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
