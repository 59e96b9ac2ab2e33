//! A version of a provider, with the list of its checksums and the signature of the list.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, ProviderVersionId, TerraformProviderId};

/// Row of `provider_version`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProviderVersionId,
    pub organization_id: OrganizationId,
    pub provider_id: TerraformProviderId,
    pub created_at: DateTimeUtc,
    pub version: String,
    /// The versions of the plugin protocol that it speaks, separated by commas.
    pub protocols: String,
    /// The contents of SHA256SUMS.
    pub checksums: Option<String>,
    /// The contents of SHA256SUMS.sig, in base64: bytes are for what is sealed.
    pub signature: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
