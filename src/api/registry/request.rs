//! Registry requests.

use std::collections::BTreeMap;

use entity::registry::RegistryConfig;
use poem_openapi::Object;
use serde::Deserialize;

use super::gcp_credentials::GcpCredentialsType;
use super::registry_kind::ContainerRegistryKindEnum;
use crate::engine::settings::registry_settings::WantedRegistry;
use crate::secret::Secret;

/// Not `Debug`: the request contains secrets in plain text.
#[derive(Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct ConfigRequest {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    region: Option<String>,
    scaleway_access_key: Option<String>,
    scaleway_secret_key: Option<String>,
    scaleway_project_id: Option<String>,
    json_credentials: Option<String>,
    gcp_credentials_type: Option<GcpCredentialsType>,
    project_id: Option<String>,
    service_account_email: Option<String>,
    workload_identity_provider_resource: Option<String>,
    token_lifetime_seconds: Option<i32>,
    username: Option<String>,
    password: Option<String>,
    role_arn: Option<String>,
    azure_tenant_id: Option<String>,
    azure_subscription_id: Option<String>,
}

#[derive(Deserialize, Object)]
pub(super) struct ContainerRegistryRequest {
    pub(super) name: String,
    pub(super) kind: ContainerRegistryKindEnum,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) url: Option<String>,
    pub(super) config: ConfigRequest,
}

/// The registry that is asked for, with its configuration split into public and sealed values.
pub(super) fn wanted(request: ContainerRegistryRequest) -> WantedRegistry {
    let ContainerRegistryRequest { name, kind, description, url, config } = request;
    let (config, secrets) = split(config);
    WantedRegistry { name, kind: kind.into(), description, url, config, secrets }
}

fn split(request: ConfigRequest) -> (RegistryConfig, BTreeMap<&'static str, Secret<String>>) {
    let ConfigRequest {
        access_key_id,
        secret_access_key,
        region,
        scaleway_access_key,
        scaleway_secret_key,
        scaleway_project_id,
        json_credentials,
        gcp_credentials_type,
        project_id,
        service_account_email,
        workload_identity_provider_resource,
        token_lifetime_seconds,
        username,
        password,
        role_arn,
        azure_tenant_id,
        azure_subscription_id,
    } = request;
    let secrets = [
        ("secret_access_key", secret_access_key),
        ("scaleway_secret_key", scaleway_secret_key),
        ("json_credentials", json_credentials),
        ("password", password),
    ];
    let config = RegistryConfig {
        username,
        region,
        access_key_id,
        role_arn,
        scaleway_access_key,
        scaleway_project_id,
        gcp_credentials_type: gcp_credentials_type
            .map(|GcpCredentialsType::WorkloadIdentityFederation| "workload_identity_federation".to_owned()),
        project_id,
        service_account_email,
        workload_identity_provider_resource,
        token_lifetime_seconds,
        azure_tenant_id,
        azure_subscription_id,
    };
    (config, secrets.into_iter().filter_map(|(key, value)| Some((key, Secret::new(value?)))).collect())
}
