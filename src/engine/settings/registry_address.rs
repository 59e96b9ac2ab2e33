//! The addresses of registries, and which values each kind needs.

use entity::registry::RegistryKind;

use crate::engine::limits;
use crate::error::{Error, Result};
use crate::secret::Origin;

/// The kinds with the configuration keys that each requires.
pub const KINDS: [(RegistryKind, &[&str]); 10] = [
    (RegistryKind::Ecr, &["region", "access_key_id", "secret_access_key"]),
    (RegistryKind::ScalewayCr, &["region", "scaleway_access_key", "scaleway_secret_key", "scaleway_project_id"]),
    (RegistryKind::DockerHub, &["username", "password"]),
    (RegistryKind::GithubCr, &["username", "password"]),
    (RegistryKind::GithubEnterpriseCr, &["username", "password"]),
    (RegistryKind::GitlabCr, &["username", "password"]),
    (RegistryKind::PublicEcr, &[]),
    (RegistryKind::GenericCr, &["username", "password"]),
    (RegistryKind::GcpArtifactRegistry, &["region", "json_credentials"]),
    (RegistryKind::AzureCr, &["azure_tenant_id", "azure_subscription_id"]),
];

/// The address of a registry. As in the official API, some kinds have a fixed one.
///
/// # Errors
/// `Invalid`, which names the field.
pub fn address(kind: RegistryKind, given: Option<String>) -> Result<String> {
    let fixed = match kind {
        RegistryKind::DockerHub => Some("https://docker.io"),
        RegistryKind::GithubCr => Some("https://ghcr.io"),
        RegistryKind::GitlabCr => Some("https://registry.gitlab.com"),
        RegistryKind::Docr => return Err(Error::invalid("kind", "DOCR is no longer supported")),
        _ => None,
    };
    let given = given.filter(|url| !url.is_empty());
    match (fixed, given) {
        (Some(fixed), None) => Ok(fixed.to_owned()),
        (Some(fixed), Some(url)) if url.trim_end_matches('/') == fixed => Ok(url),
        (Some(fixed), Some(_)) => Err(Error::invalid("url", format!("must be {fixed} for this kind"))),
        (None, None) => Err(Error::invalid("url", "is required for this kind")),
        (None, Some(url)) => {
            let host = url.strip_prefix("https://").unwrap_or_default();
            let is_valid = !host.is_empty()
                && Origin::of(&url).is_some()
                && host.chars().all(|c| c.is_ascii_graphic() && !"@?#\"\\".contains(c));
            if is_valid {
                limits::text("url", url)
            } else {
                let text = "must be an https:// URL with a host, and without a login, a query or a fragment";
                Err(Error::invalid("url", text))
            }
        }
    }
}
