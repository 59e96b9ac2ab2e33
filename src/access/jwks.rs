//! The signing keys of an OIDC issuer. They are located by its discovery document, cached, and fetched again when a
//! token has an unknown key id, at most once a minute.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use crate::error::{Error, Result, Source};

/// The lifetime of cached keys, after which a revoked key is dropped.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// The minimum time between two attempts to fetch keys.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint: Option<String>,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    scopes_supported: Option<Vec<String>>,
}

/// Where the secret of a client is in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretIn {
    /// HTTP Basic, `client_secret_basic`.
    Header,
    /// A field of the form, `client_secret_post`.
    Form,
}

/// Where people sign in, where codes are exchanged for tokens, and where an issuer says who somebody is.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    /// Which ways to send a secret to `token` are tried, in this order.
    pub(super) secret_in: &'static [SecretIn],
    pub(super) userinfo: Option<String>,
    /// Whether it has a scope `groups`, for the claim of that name.
    pub(super) has_groups: bool,
}

/// The ways to send a secret that an issuer offers, its default (`OpenID` Connect Discovery, section 3) first. Which of them it wants
/// from one client, no document says.
fn ways(offered: Option<&[String]>) -> &'static [SecretIn] {
    let offers = |method: &str| offered.is_none_or(|all| all.iter().any(|one| one == method));
    match (offers("client_secret_basic"), offers("client_secret_post")) {
        (true, false) => &[SecretIn::Header],
        (false, true) => &[SecretIn::Form],
        _ => &[SecretIn::Header, SecretIn::Form],
    }
}

#[derive(Default)]
struct Keys {
    set: Option<JwkSet>,
    fetched_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// Looks up keys in the cache; `None` if they must be fetched first.
    fn serve(&self, kid: Option<&str>, now: DateTime<Utc>) -> Option<Vec<Jwk>> {
        let known = find(self.set.as_ref()?, kid);
        let fresh = self.fetched_at.is_some_and(|at| now - at < FRESH);
        (self.paused(now) || (!known.is_empty() && fresh)).then_some(known)
    }

    /// Whether keys may be fetched now. Records the attempt.
    fn may_try(&mut self, now: DateTime<Utc>) -> bool {
        let allowed = !self.paused(now);
        if allowed {
            self.tried_at = Some(now);
        }
        allowed
    }

    fn paused(&self, now: DateTime<Utc>) -> bool {
        self.tried_at.is_some_and(|at| now - at < PAUSE)
    }
}

/// The keys of an issuer, fetched on demand.
pub(super) struct KeySet {
    issuer: String,
    client: reqwest::Client,
    keys: Mutex<Keys>,
    /// Held during a fetch, so that concurrent requests share it.
    fetching: tokio::sync::Mutex<()>,
}

impl KeySet {
    /// Creates an empty key set for this issuer.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(super) fn new(issuer: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::internal)?;
        let (keys, fetching) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { issuer: issuer.to_owned(), client, keys, fetching })
    }

    /// The keys with this id; without an id, all of them. If a fetch fails, the cached keys are used.
    pub(super) async fn list(&self, kid: Option<&str>, now: DateTime<Utc>) -> Result<Vec<Jwk>> {
        if let Some(keys) = self.keys().serve(kid, now) {
            return Ok(keys);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(keys) = self.keys().serve(kid, now) {
            return Ok(keys);
        }
        if !self.keys().may_try(now) {
            return Err(self.unavailable("its keys could not be fetched a moment ago".into()));
        }
        match self.fetch().await {
            Ok(set) => {
                let found = find(&set, kid);
                let mut keys = self.keys();
                keys.fetched_at = Some(now);
                keys.set = Some(set);
                Ok(found)
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer, %error, "failed to fetch the keys of the OIDC issuer");
                let keys = self.keys();
                match keys.set.as_ref() {
                    Some(set) => Ok(find(set, kid)),
                    None => Err(self.unavailable(error.into())),
                }
            }
        }
    }

    /// The client for requests to the issuer.
    pub(super) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The issuer does not accept this server as a client, which no second attempt of a person changes.
    pub(super) fn refuses_client(&self, source: Source) -> Error {
        let text = "does not accept this server as a client: check --oidc-client-id and --oidc-client-secret";
        Error::unavailable(format!("the OIDC issuer {} {text}", self.issuer), source)
    }

    pub(super) fn unavailable(&self, source: Source) -> Error {
        Error::unavailable(format!("the OIDC issuer {} cannot be reached; try again", self.issuer), source)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of the authorization code flow.
    pub(super) async fn endpoints(&self) -> Result<Endpoints> {
        let discovery = self.discover().await.map_err(|error| self.unavailable(error.into()))?;
        match (discovery.authorization_endpoint, discovery.token_endpoint) {
            (Some(authorization), Some(token)) if discovery.issuer == self.issuer => {
                let secret_in = ways(discovery.token_endpoint_auth_methods_supported.as_deref());
                let userinfo = discovery.userinfo_endpoint;
                let has_groups =
                    discovery.scopes_supported.is_some_and(|all| all.iter().any(|scope| scope == "groups"));
                Ok(Endpoints { authorization, token, secret_in, userinfo, has_groups })
            }
            _ => Err(self.unavailable("its discovery document names no endpoints for this issuer".into())),
        }
    }

    async fn discover(&self) -> Result<Discovery, reqwest::Error> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        self.client.get(url).send().await?.error_for_status()?.json().await
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let discovery = self.discover().await?;
        if discovery.issuer != self.issuer {
            tracing::warn!(stated = discovery.issuer, "the OIDC discovery document names another issuer");
            return Ok(JwkSet { keys: Vec::new() });
        }
        self.client.get(discovery.jwks_uri).send().await?.error_for_status()?.json().await
    }
}

/// The keys with this id; without an id, all keys of the set.
fn find(set: &JwkSet, kid: Option<&str>) -> Vec<Jwk> {
    set.keys.iter().filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{SecretIn, ways};

    #[test]
    fn a_secret_is_sent_as_the_issuer_offers_and_by_its_default_first() {
        let of = |methods: &[&str]| ways(Some(&methods.iter().map(|&method| method.to_owned()).collect::<Vec<_>>()));
        assert_eq!(ways(None), [SecretIn::Header, SecretIn::Form]);
        assert_eq!(of(&["client_secret_post", "client_secret_basic"]), [SecretIn::Header, SecretIn::Form]);
        assert_eq!(of(&["none", "client_secret_basic"]), [SecretIn::Header]);
        assert_eq!(of(&["client_secret_post"]), [SecretIn::Form]);
        assert_eq!(of(&["private_key_jwt"]), [SecretIn::Header, SecretIn::Form]);
    }
}
