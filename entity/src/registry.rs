//! A container registry, with its credentials sealed.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, RegistryId};

/// The kind of a registry, by its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistryKind {
    Ecr,
    ScalewayCr,
    DockerHub,
    GithubCr,
    GithubEnterpriseCr,
    GitlabCr,
    PublicEcr,
    Docr,
    GenericCr,
    GcpArtifactRegistry,
    AzureCr,
}

/// The configuration of a registry without its secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct RegistryConfig {
    pub username: Option<String>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub role_arn: Option<String>,
    pub scaleway_access_key: Option<String>,
    pub scaleway_project_id: Option<String>,
    pub gcp_credentials_type: Option<String>,
    pub project_id: Option<String>,
    pub service_account_email: Option<String>,
    pub workload_identity_provider_resource: Option<String>,
    /// The lifetime of tokens, in seconds.
    pub token_lifetime_seconds: Option<i32>,
    pub azure_tenant_id: Option<String>,
    pub azure_subscription_id: Option<String>,
}

/// Row of `registry`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegistryId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: Option<String>,
    pub kind: RegistryKind,
    pub url: String,
    pub config: RegistryConfig,
    /// The secret part of the configuration as sealed JSON.
    pub credentials: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
