//! The kinds of registries that are available.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::registry_kind::ContainerRegistryKindEnum;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AvailableContainerRegistryResponse {
    kind: ContainerRegistryKindEnum,
    required_config: BTreeMap<String, String>,
    is_mandatory: bool,
}

/// The kinds with the configuration keys that each requires.
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
