//! Pure: what each kind of stored credential belongs to, derived from its row.

use entity::job_spec::GitProvider;
use entity::{git_token, registry, ssh_key, vcs, webhook};

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

/// The token of a VCS connection may also be sent to the API of its host, if that has a name of its own: `api.github.com` is that of
/// `github.com`.
#[must_use]
pub fn of_vcs_api(row: &vcs::Model) -> Binding {
    let own = of_vcs(row);
    let apis = own
        .origins
        .iter()
        .filter(|origin| origin.is_web())
        .map(|origin| Origin { host: format!("api.{}", origin.host), ..origin.clone() });
    Binding { origins: distinct(own.origins.iter().cloned().chain(apis)), ..own }
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

/// An SSH key belongs to the hosts in its `knownHosts`; without them, to those of the repositories that it was used with. `to` is
/// where it is wanted: `ssh` itself compares a host with names in `knownHosts` that are hashed or have wildcards, before it uses a key.
#[must_use]
pub fn of_ssh_key(row: &ssh_key::Model, to: Option<&Origin>) -> Binding {
    let mut origins = Vec::new();
    match row.known_hosts.as_deref().filter(|known| !known.trim().is_empty()) {
        Some(known) => {
            for name in known.lines().flat_map(known_names) {
                match known_origin(name) {
                    Some(origin) => origins.push(origin),
                    None => origins.extend(to.cloned()),
                }
            }
        }
        None => origins.extend(row.bound_urls.iter().flat_map(|urls| &urls.0).filter_map(|url| ssh_host(url))),
    }
    Binding { organization: row.organization_id, origins: distinct(origins.into_iter()) }
}

/// Where an SSH key is sent for a repository. One that is read by HTTP may have submodules that are read by SSH from the same host.
#[must_use]
pub fn ssh_host(url: &str) -> Option<Origin> {
    let origin = Origin::of(url)?;
    if origin.scheme == Scheme::Ssh { Some(origin) } else { Origin::of(&format!("ssh://{}", bracketed(&origin.host))) }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// The names of hosts in a line of a `known_hosts` file.
fn known_names(line: &str) -> Vec<&str> {
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('@'));
    match words.next() {
        Some(names) if !names.starts_with('#') => names.split(',').collect(),
        _ => Vec::new(),
    }
}

/// The origin of a name in a `known_hosts` file: `host`, an address, or `[host]:port`.
fn known_origin(name: &str) -> Option<Origin> {
    match name.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((host, port)) => Origin::of(&format!("ssh://{}:{port}", bracketed(host))),
        None => Origin::of(&format!("ssh://{}", bracketed(name))),
    }
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
    use super::{git_host, of_ssh_key, registry_host, ssh_host, vcs_host};
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
    fn hosts_of_ssh_keys() {
        let key = |known: &str, urls: &[&str]| entity::ssh_key::Model {
            id: entity::id::SshKeyId::create(),
            organization_id: entity::id::OrganizationId::create(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
            created_by: String::new(),
            updated_by: String::new(),
            name: String::new(),
            description: None,
            ssh_type: String::new(),
            private_key: None,
            known_hosts: Some(known.to_owned()),
            bound_urls: Some(entity::earlier_urls::EarlierUrls(urls.iter().map(|url| (*url).to_owned()).collect())),
        };
        let to = ssh_host("git@wanted.example:a.git");
        let hosts = |known: &str, urls: &[&str]| {
            let found = of_ssh_key(&key(known, urls), to.as_ref()).origins;
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(hosts(" ", &[]), "");
        let urls = ["git@a.example:x.git", "ssh://git@b.example:2222/y", "https://c.example:8443/z", "empty"];
        assert_eq!(hosts("", &urls), "ssh://a.example ssh://b.example:2222 ssh://c.example");
        let known = "# mine\n\na.example,10.0.0.1 ssh-ed25519 AAAA\n[b.example]:2222 ssh-rsa AAAA\n::1 ssh-rsa AAAA\n";
        let expected = "ssh://a.example ssh://10.0.0.1 ssh://b.example:2222 ssh://[::1]";
        assert_eq!(hosts(known, &urls), expected);
        for open in ["|1|c2FsdA==|aGFzaA== ssh-rsa AAAA", "@cert-authority *.example ssh-rsa AAAA"] {
            assert_eq!(hosts(open, &urls), "ssh://wanted.example");
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
