//! One call to a registry, with the authentication that it requires.
//!
//! The login goes to the registry itself and to the token service that the registry names, as Docker does
//! (<https://distribution.github.io/distribution/spec/auth/token/>), but only over TLS, and not on the word of a host that the
//! registry redirects to.

use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;

use super::challenge::{Challenge, challenge};
use super::credentials::Login;
use crate::error::Result;
use crate::secret::stored_binding::registry_host;
use crate::secret::{Origin, Secret};

/// The timeout of one call.
const PATIENCE: Duration = Duration::from_secs(10);
/// The size limit of a response, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

const REJECTED: &str = "the registry rejected the login";

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The redirects that one call follows.
const MOST_REDIRECTS: usize = 5;

/// How a call proves who it is. It goes to the registry itself, and not where the registry redirects to.
enum Proof<'a> {
    Basic(&'a Login),
    Bearer(Secret<String>),
}

pub(super) async fn call(
    url: &str,
    login: Option<&Login>,
    image: &str,
    method: Method,
    path: &str,
) -> Result<Response, String> {
    let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build().map_err(|e| e.to_string())?;
    let registry = registry_host(url).ok_or("the url of the registry has no valid host")?;
    let is_own = |address: &Url| match login {
        Some(login) => login.may_go(address.as_str(), None).is_ok(),
        None => Origin::of(address.as_str()).as_ref() == Some(&registry),
    };
    let mut address = Url::parse(&format!("{registry}{path}")).map_err(|_| "the url of the registry is not valid")?;
    let (mut proof, mut redirects) = (None, 0);
    loop {
        let own = is_own(&address);
        let request = client.request(method.clone(), address.clone()).header(ACCEPT, MANIFESTS);
        let request = match &proof {
            Some(Proof::Basic(login)) if own => request.basic_auth(&login.username, Some(login.password.expose())),
            Some(Proof::Bearer(token)) if own => request.bearer_auth(token.expose()),
            _ => request,
        };
        let response = request.send().await.map_err(|_| "the registry cannot be reached")?;
        match response.status() {
            status if status.is_success() => return Ok(response),
            // Only the registry itself may ask for a login.
            StatusCode::UNAUTHORIZED if own && proof.is_none() => {
                proof = Some(prove(&client, &response, &address, login, image).await?);
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(REJECTED.to_owned()),
            StatusCode::NOT_FOUND => return Err("the registry has no such image".to_owned()),
            status if status.is_redirection() && redirects < MOST_REDIRECTS => {
                redirects += 1;
                address = target(&response, &address).ok_or("the registry redirects to an invalid URL")?;
            }
            status if status.is_redirection() => return Err("the registry redirects too often".to_owned()),
            status => return Err(format!("the registry responded with {status}")),
        }
    }
}

/// Where a response redirects to.
fn target(response: &Response, from: &Url) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// Does what a registry asks for.
async fn prove<'a>(
    client: &Client,
    response: &Response,
    address: &Url,
    login: Option<&'a Login>,
    image: &str,
) -> Result<Proof<'a>, String> {
    match challenge(response.headers()) {
        Some(Challenge::Basic) => {
            Ok(Proof::Basic(login.ok_or("the registry requires a login, and none is stored for it")?))
        }
        Some(Challenge::Bearer { realm, service }) => {
            if let Some(login) = login {
                login.may_go(&realm, Some(address.as_str())).map_err(|refused| refused.to_string())?;
            }
            Ok(Proof::Bearer(token(client, &realm, service.as_deref(), login, image).await?))
        }
        None => Err(REJECTED.to_owned()),
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
    let response = request.send().await.map_err(|_| "the registry's token service cannot be reached".to_owned())?;
    if !response.status().is_success() {
        return Err(REJECTED.to_owned());
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
