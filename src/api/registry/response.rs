//! Registry responses.

use entity::registry;
use entity::registry::RegistryConfig;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::gcp_credentials::GcpCredentialsType;
use super::registry_kind::ContainerRegistryKindEnum;

#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct ConfigResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaleway_access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaleway_project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gcp_credentials_type: Option<GcpCredentialsType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload_identity_provider_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_subscription_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ContainerRegistryResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    kind: ContainerRegistryKindEnum,
    description: String,
    url: String,
    associated_services_count: i64,
    config: ConfigResponse,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ContainerVersionResponse {
    pub(super) image_name: String,
    pub(super) versions: Vec<String>,
}

impl ContainerRegistryResponse {
    pub(super) fn new(row: registry::Model, jobs: i64) -> Self {
        let registry::Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            name,
            description,
            kind,
            url,
            config,
            credentials: _,
        } = row;
        let RegistryConfig {
            username,
            region,
            access_key_id,
            role_arn,
            scaleway_access_key,
            scaleway_project_id,
            gcp_credentials_type,
            project_id,
            service_account_email,
            workload_identity_provider_resource,
            token_lifetime_seconds,
            azure_tenant_id,
            azure_subscription_id,
        } = config;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            kind: kind.into(),
            description: description.unwrap_or_default(),
            url,
            associated_services_count: jobs,
            config: ConfigResponse {
                username,
                region,
                scaleway_access_key,
                scaleway_project_id,
                access_key_id,
                role_arn,
                gcp_credentials_type: gcp_credentials_type.map(|_| GcpCredentialsType::WorkloadIdentityFederation),
                project_id,
                service_account_email,
                workload_identity_provider_resource,
                token_lifetime_seconds,
                azure_tenant_id,
                azure_subscription_id,
            },
        }
    }
}
