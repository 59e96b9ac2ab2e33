//! The bodies of requests and answers about registries, and what a request has to satisfy.

use std::collections::BTreeMap;

use entity::registry;
use entity::registry::RegistryConfig;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::limits;
use super::super::wire::Timestamp;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The kind of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in super::super) enum ContainerRegistryKindEnum {
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

use entity::registry::RegistryKind as Kind;

/// Both ways between the stored kind and the one on the wire.
macro_rules! kinds {
    ($($name:ident),+) => {
        impl From<Kind> for ContainerRegistryKindEnum {
            fn from(kind: Kind) -> Self {
                match kind { $(Kind::$name => Self::$name),+ }
            }
        }

        impl From<ContainerRegistryKindEnum> for Kind {
            fn from(kind: ContainerRegistryKindEnum) -> Self {
                match kind { $(ContainerRegistryKindEnum::$name => Self::$name),+ }
            }
        }
    };
}

kinds!(
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
    AzureCr
);

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub(super) enum GcpCredentialsType {
    WorkloadIdentityFederation,
}

/// Without Debug: it holds secrets in the clear, for as long as a request is read.
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
pub(super) struct AvailableContainerRegistryResponse {
    kind: ContainerRegistryKindEnum,
    required_config: BTreeMap<String, String>,
    is_mandatory: bool,
}

/// The stored parts of a configuration: what is answered, and what is sealed.
pub(super) struct Parts {
    pub(super) config: RegistryConfig,
    pub(super) secrets: BTreeMap<&'static str, Secret<String>>,
}

pub(super) fn parts(given: ConfigRequest) -> Parts {
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
    } = given;
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
    Parts { config, secrets: secrets.into_iter().filter_map(|(key, value)| Some((key, Secret::new(value?)))).collect() }
}

/// The address of a registry: the kinds of one provider have a fixed one (rule of the official API).
pub(super) fn url(kind: ContainerRegistryKindEnum, given: Option<String>) -> Result<String> {
    use ContainerRegistryKindEnum as Kind;
    let fixed = match kind {
        Kind::DockerHub => Some("https://docker.io"),
        Kind::GithubCr => Some("https://ghcr.io"),
        Kind::GitlabCr => Some("https://registry.gitlab.com"),
        Kind::Docr => return Err(Error::invalid("kind", "DOCR is no longer supported")),
        _ => None,
    };
    let given = given.filter(|url| !url.is_empty());
    match (fixed, given) {
        (Some(fixed), None) => Ok(fixed.to_owned()),
        (Some(fixed), Some(url)) if url.trim_end_matches('/') == fixed => Ok(url),
        (Some(fixed), Some(_)) => Err(Error::invalid("url", format!("is {fixed} for this kind"))),
        (None, None) => Err(Error::invalid("url", "is missing")),
        (None, Some(url)) => {
            let host = url.strip_prefix("https://").unwrap_or_default();
            let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic() && !"@?#\"\\".contains(c));
            if plain { limits::text("url", url) } else { Err(Error::invalid("url", "is not https:// and a host")) }
        }
    }
}

pub(super) fn answer(row: registry::Model, jobs: i64) -> ContainerRegistryResponse {
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
    ContainerRegistryResponse {
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

/// The kinds with the configuration keys that each needs.
pub(super) fn available() -> Vec<AvailableContainerRegistryResponse> {
    use ContainerRegistryKindEnum as Kind;
    let kinds: [(Kind, &[&str]); 10] = [
        (Kind::Ecr, &["region", "access_key_id", "secret_access_key"]),
        (Kind::ScalewayCr, &["region", "scaleway_access_key", "scaleway_secret_key", "scaleway_project_id"]),
        (Kind::DockerHub, &["username", "password"]),
        (Kind::GithubCr, &["username", "password"]),
        (Kind::GithubEnterpriseCr, &["username", "password"]),
        (Kind::GitlabCr, &["username", "password"]),
        (Kind::PublicEcr, &[]),
        (Kind::GenericCr, &["username", "password"]),
        (Kind::GcpArtifactRegistry, &["region", "json_credentials"]),
        (Kind::AzureCr, &["azure_tenant_id", "azure_subscription_id"]),
    ];
    kinds
        .into_iter()
        .map(|(kind, keys)| AvailableContainerRegistryResponse {
            kind,
            required_config: keys.iter().map(|key| ((*key).to_owned(), String::new())).collect(),
            is_mandatory: false,
        })
        .collect()
}
