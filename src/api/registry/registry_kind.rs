//! The kinds of registries, and their addresses.

use entity::registry::RegistryKind;

use super::super::wire::mirrored;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::secret::Origin;

mirrored!(ContainerRegistryKindEnum of RegistryKind {
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
});

/// The address of a registry. As in the official API, some kinds have a fixed one.
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
                Err(Error::invalid(
                    "url",
                    "must be an https:// URL with a host, and without a login, a query or a fragment",
                ))
            }
        }
    }
}
