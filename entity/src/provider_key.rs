//! A public key with which an organization signs the checksums of its providers.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, ProviderKeyId};

/// Row of `provider_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProviderKeyId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    /// The last 16 hexadecimal digits of its fingerprint.
    pub key_id: String,
    pub ascii_armor: String,
}

impl ActiveModelBehavior for ActiveModel {}
