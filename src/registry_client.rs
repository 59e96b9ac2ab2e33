//! A client of image registries (OCI distribution specification): the tags of an image, and whether it is there.
//!
//! Registries on this machine are asked without TLS, as container engines do.

use std::collections::BTreeMap;
use std::time::Duration;

use entity::registry;
use entity::registry::RegistryKind;
use reqwest::header::{ACCEPT, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::secret::{KeyRing, Secret, place};

/// For one call.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most tags that are read.
const MOST_TAGS: usize = 1000;
/// The largest answer that is read, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A login to a registry.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: Secret<String>,
}

/// The login of a stored registry; none when it has none. Kinds that need a token of their cloud have none either.
///
/// # Errors
/// When the stored credentials cannot be opened.
pub fn login(keys: &KeyRing, row: &registry::Model) -> Result<Option<Login>> {
    let Some(sealed) = &row.credentials else { return Ok(None) };
    let opened = keys.open(&place("registry", row.id.0), sealed)?;
    let mut secrets: BTreeMap<String, String> =
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))?;
    let login = match row.kind {
        RegistryKind::ScalewayCr => Some("nologin".to_owned()).zip(secrets.remove("scaleway_secret_key")),
        RegistryKind::GcpArtifactRegistry => Some("_json_key".to_owned()).zip(secrets.remove("json_credentials")),
        RegistryKind::Ecr | RegistryKind::AzureCr => None,
        _ => row.config.username.clone().zip(secrets.remove("password")),
    };
    Ok(login.map(|(username, password)| Login { username, password: Secret::new(password) }))
}

/// The tags of an image, as the registry orders them.
///
/// # Errors
/// A reason for the caller: the registry does not answer, refuses, or has no such image.
pub async fn tags(url: &str, login: Option<&Login>, image: &str) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Tags {
        tags: Option<Vec<String>>,
    }
    let path = format!("/v2/{image}/tags/list?n={MOST_TAGS}");
    let response = call(url, login, image, Method::GET, &path).await?;
    let text = body(response).await?;
    let Tags { tags } = serde_json::from_slice(&text).map_err(|_| "the registry's answer is not JSON".to_owned())?;
    let mut tags = tags.unwrap_or_default();
    tags.truncate(MOST_TAGS);
    Ok(tags)
}

/// Checks that an image is there.
///
/// # Errors
/// A reason for the caller: the registry does not answer, refuses, or has no such image.
pub async fn check(url: &str, login: Option<&Login>, image: &str, tag: &str) -> Result<(), String> {
    call(url, login, image, Method::HEAD, &format!("/v2/{image}/manifests/{tag}")).await.map(|_| ())
}

async fn call(url: &str, login: Option<&Login>, image: &str, method: Method, path: &str) -> Result<Response, String> {
    let client = Client::builder().timeout(PATIENCE).build().map_err(|e| e.to_string())?;
    let address = format!("{}{path}", base(url));
    let unreachable = |_| "the registry does not answer".to_owned();
    let ask = || client.request(method.clone(), &address).header(ACCEPT, MANIFESTS);
    let mut response = ask().send().await.map_err(unreachable)?;
    if response.status() == StatusCode::UNAUTHORIZED {
        let again = match challenge(response.headers()) {
            Some(Challenge::Basic) => {
                let login = login.ok_or("the registry needs a login, and none is stored for it")?;
                ask().basic_auth(&login.username, Some(login.password.expose()))
            }
            Some(Challenge::Bearer { realm, service }) => {
                let token = token(&client, &realm, service.as_deref(), login, image).await?;
                ask().bearer_auth(token.expose())
            }
            None => return Err("the registry refuses the login".to_owned()),
        };
        response = again.send().await.map_err(unreachable)?;
    }
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err("the registry refuses the login".to_owned()),
        StatusCode::NOT_FOUND => Err("the registry does not have this image".to_owned()),
        status => Err(format!("the registry answers {status}")),
    }
}

/// Where the API of a registry is: Docker Hub has another host for it.
fn base(url: &str) -> String {
    let host = url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = if name == "localhost" || name.starts_with("127.") { "http" } else { "https" };
    format!("{scheme}://{host}")
}

#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let text = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let value = |key: &str| {
        let (_, behind) = rest.split_once(&format!("{key}=\""))?;
        behind.split_once('"').map(|(value, _)| value.to_owned())
    };
    if word.eq_ignore_ascii_case("basic") {
        Some(Challenge::Basic)
    } else if word.eq_ignore_ascii_case("bearer") {
        // The password goes only to where it is encrypted on the way.
        let realm = value("realm").filter(|realm| realm.starts_with("https://"))?;
        Some(Challenge::Bearer { realm, service: value("service") })
    } else {
        None
    }
}

async fn token(
    client: &Client,
    realm: &str,
    service: Option<&str>,
    login: Option<&Login>,
    image: &str,
) -> Result<Secret<String>, String> {
    #[derive(Deserialize)]
    struct Granted {
        #[serde(alias = "access_token")]
        token: String,
    }
    let mut query = vec![("scope", format!("repository:{image}:pull"))];
    query.extend(service.map(|service| ("service", service.to_owned())));
    let mut request = client.get(realm).query(&query);
    if let Some(login) = login {
        request = request.basic_auth(&login.username, Some(login.password.expose()));
    }
    let response = request.send().await.map_err(|_| "the registry's login service does not answer".to_owned())?;
    if !response.status().is_success() {
        return Err("the registry refuses the login".to_owned());
    }
    let text = body(response).await?;
    let granted: Granted = serde_json::from_slice(&text).map_err(|_| "the registry grants no token".to_owned())?;
    Ok(Secret::new(granted.token))
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| "the registry's answer broke off".to_owned())? {
        text.extend_from_slice(&piece);
        if text.len() as u64 > MOST_BYTES {
            return Err("the registry's answer is too long".to_owned());
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(base("https://docker.io"), "https://registry-1.docker.io");
        assert_eq!(base("https://ghcr.io/"), "https://ghcr.io");
        assert_eq!(base("https://127.0.0.1:5000"), "http://127.0.0.1:5000");
    }

    #[test]
    fn challenges() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
            challenge(&headers)
        };
        assert_eq!(read("Basic realm=\"x\""), Some(Challenge::Basic));
        let bearer = read("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"");
        let realm = "https://auth.docker.io/token".to_owned();
        assert_eq!(bearer, Some(Challenge::Bearer { realm, service: Some("registry.docker.io".into()) }));
        assert_eq!(read("Bearer realm=\"http://elsewhere/token\""), None);
        assert_eq!(read("Digest x"), None);
    }
}
