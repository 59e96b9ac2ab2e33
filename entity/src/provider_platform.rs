//! A version of a provider for one operating system and architecture.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, ProviderPlatformId, ProviderVersionId};

/// Row of `provider_platform`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_platform")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProviderPlatformId,
    pub organization_id: OrganizationId,
    pub provider_version_id: ProviderVersionId,
    pub created_at: DateTimeUtc,
    pub os: String,
    pub arch: String,
    pub filename: String,
    /// The SHA-256 checksum of the archive, in hexadecimal digits.
    pub shasum: String,
    /// The checksum of the files in the archive, as lock files have it.
    pub content_hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
