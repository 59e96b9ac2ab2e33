//! One call to a registry, with the authentication that it requires.

use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;

use super::challenge::{Challenge, challenge};
use super::credentials::Login;
use crate::error::Result;
use crate::secret::Secret;

/// The timeout of one call.
const PATIENCE: Duration = Duration::from_secs(10);
/// The size limit of a response, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

pub(super) async fn call(
    url: &str,
    login: Option<&Login>,
    image: &str,
    method: Method,
    path: &str,
) -> Result<Response, String> {
    let client = Client::builder().timeout(PATIENCE).build().map_err(|e| e.to_string())?;
    let address = format!("{}{path}", base(url));
    let unreachable = |_| "the registry cannot be reached".to_owned();
    let ask = || client.request(method.clone(), &address).header(ACCEPT, MANIFESTS);
    let mut response = ask().send().await.map_err(unreachable)?;
    if response.status() == StatusCode::UNAUTHORIZED {
        let again = match challenge(response.headers()) {
            Some(Challenge::Basic) => {
                let login = login.ok_or("the registry requires a login, and none is stored for it")?;
                ask().basic_auth(&login.username, Some(login.password.expose()))
            }
            Some(Challenge::Bearer { realm, service }) => {
                let token = token(&client, &realm, service.as_deref(), login, image).await?;
                ask().bearer_auth(token.expose())
            }
            None => return Err("the registry rejected the login".to_owned()),
        };
        response = again.send().await.map_err(unreachable)?;
    }
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err("the registry rejected the login".to_owned()),
        StatusCode::NOT_FOUND => Err("the registry has no such image".to_owned()),
        status => Err(format!("the registry responded with {status}")),
    }
}

/// The base URL of a registry's API. Docker Hub serves it on another host.
fn base(url: &str) -> String {
    let host = url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = if name == "localhost" || name.starts_with("127.") { "http" } else { "https" };
    format!("{scheme}://{host}")
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
    let response = request.send().await.map_err(|_| "the registry's token service cannot be reached".to_owned())?;
    if !response.status().is_success() {
        return Err("the registry rejected the login".to_owned());
    }
    let text = body(response).await?;
    let granted: Granted =
        serde_json::from_slice(&text).map_err(|_| "the registry's token service returned no token".to_owned())?;
    Ok(Secret::new(granted.token))
}

pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| "the registry's response was interrupted".to_owned())? {
        text.extend_from_slice(&piece);
        if text.len() as u64 > MOST_BYTES {
            return Err("the registry's response is too large".to_owned());
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn addresses() {
        assert_eq!(base("https://docker.io"), "https://registry-1.docker.io");
        assert_eq!(base("https://ghcr.io/"), "https://ghcr.io");
        assert_eq!(base("https://127.0.0.1:5000"), "http://127.0.0.1:5000");
    }
}
