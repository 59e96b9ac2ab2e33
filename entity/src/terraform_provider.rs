//! A provider of the private registry, or one of another registry of which the mirror has copies.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, TerraformProviderId};

/// Row of `terraform_provider`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "terraform_provider")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TerraformProviderId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub created_by: String,
    pub updated_by: String,
    /// The registry that the provider is from; empty for one of the organization itself.
    pub hostname: String,
    /// The namespace in that registry; empty for one of the organization itself.
    pub namespace: String,
    pub name: String,
    pub description: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
