//! Pure: what each kind of stored credential belongs to, derived from its row.

use entity::job_spec::GitProvider;
use entity::{git_token, registry, vcs, webhook};

use super::binding::Binding;
use super::origin::{Origin, Scheme};

/// The host of the API of Docker Hub, whose registry has another name.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// A git token belongs to the host of its `git_api_url`, and to the hosts it was used with before tokens belonged to a host.
#[must_use]
pub fn of_git_token(row: &git_token::Model) -> Binding {
    let earlier = row.earlier_urls.iter().flat_map(|urls| &urls.0);
    let origins = git_host(row.provider, &row.api_url).into_iter().chain(earlier.filter_map(|url| Origin::of(url)));
    Binding { organization: row.organization_id, origins: distinct(origins) }
}

/// The git host that belongs to an API: `api.github.com` is that of `github.com`.
#[must_use]
pub fn git_host(provider: GitProvider, api_url: &str) -> Option<Origin> {
    let origin = Origin::of(api_url)?;
    let host = match provider {
        GitProvider::Github | GitProvider::Bitbucket => origin.host.strip_prefix("api.").map(str::to_owned),
        GitProvider::Gitlab => None,
    };
    Some(Origin { host: host.unwrap_or(origin.host), ..origin })
}

/// A VCS connection belongs to its endpoint, and to the hosts it was used with before connections belonged to a host.
#[must_use]
pub fn of_vcs(row: &vcs::Model) -> Binding {
    let earlier = row.earlier_urls.iter().flat_map(|urls| &urls.0);
    let origins = vcs_host(&row.vcs_type, row.endpoint.as_deref()).into_iter();
    Binding {
        organization: row.organization_id,
        origins: distinct(origins.chain(earlier.filter_map(|url| Origin::of(url)))),
    }
}

/// The host of a VCS connection: its endpoint, by default that of its type.
#[must_use]
pub fn vcs_host(vcs_type: &str, endpoint: Option<&str>) -> Option<Origin> {
    let default = match vcs_type {
        "GITHUB" => "https://github.com",
        "GITLAB" => "https://gitlab.com",
        "BITBUCKET" => "https://bitbucket.org",
        "AZURE_DEVOPS" | "AZURE_SP_MI" => "https://dev.azure.com",
        _ => "",
    };
    Origin::of(endpoint.map(str::trim).filter(|endpoint| !endpoint.is_empty()).unwrap_or(default))
}

/// The login of a registry belongs to its API.
#[must_use]
pub fn of_registry(row: &registry::Model) -> Binding {
    Binding { organization: row.organization_id, origins: registry_host(&row.url).into_iter().collect() }
}

/// The origin of a registry's API. Registries on this machine are called without TLS, as container engines do by default.
#[must_use]
pub fn registry_host(url: &str) -> Option<Origin> {
    let origin = Origin::of(url)?;
    let (name, api) = DOCKER_HUB;
    if origin.host == name {
        return Some(Origin { host: api.to_owned(), ..origin });
    }
    let scheme = if origin.is_loopback() { Scheme::Http } else { origin.scheme };
    Some(Origin { scheme, ..origin })
}

/// The secret of a webhook belongs to its target.
#[must_use]
pub fn of_webhook(row: &webhook::Model) -> Binding {
    Binding { organization: row.organization_id, origins: Origin::of(&row.target_url).into_iter().collect() }
}

fn distinct(origins: impl Iterator<Item = Origin>) -> Vec<Origin> {
    let mut found = Vec::new();
    for origin in origins {
        if !found.contains(&origin) {
            found.push(origin);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{git_host, registry_host, vcs_host};
    use entity::job_spec::GitProvider::{Bitbucket, Github, Gitlab};

    fn text(origin: Option<crate::secret::Origin>) -> String {
        origin.map(|origin| origin.to_string()).unwrap_or_default()
    }

    #[test]
    fn hosts_of_git_tokens() {
        for (provider, api, host) in [
            (Github, "https://api.github.com", "https://github.com"),
            (Github, "https://git.example/api/v3", "https://git.example"),
            (Github, "https://api.acme.ghe.com", "https://acme.ghe.com"),
            (Gitlab, "https://gitlab.com/api/v4", "https://gitlab.com"),
            (Gitlab, "http://api.git.example:8080/api/v4", "http://api.git.example:8080"),
            (Bitbucket, "https://api.bitbucket.org", "https://bitbucket.org"),
        ] {
            assert_eq!(text(git_host(provider, api)), host);
        }
    }

    #[test]
    fn hosts_of_connections_and_registries() {
        assert_eq!(text(vcs_host("GITHUB", None)), "https://github.com");
        assert_eq!(text(vcs_host("GITLAB", Some(" "))), "https://gitlab.com");
        assert_eq!(text(vcs_host("GITLAB", Some("https://git.example/x"))), "https://git.example");
        assert_eq!(text(vcs_host("PUBLIC", None)), "");
        assert_eq!(text(registry_host("https://docker.io")), "https://registry-1.docker.io");
        assert_eq!(text(registry_host("https://ghcr.io/acme")), "https://ghcr.io");
        assert_eq!(text(registry_host("https://127.0.0.1:5000/")), "http://127.0.0.1:5000");
        assert_eq!(text(registry_host("https://127.0.0.1.evil.example")), "https://127.0.0.1.evil.example");
    }
}
