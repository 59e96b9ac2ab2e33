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
}

#[derive(Default)]
struct Keys {
    set: Option<JwkSet>,
    fetched_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// Looks up a key in the cache; `None` if keys must be fetched first.
    fn serve(&self, kid: Option<&str>, now: DateTime<Utc>) -> Option<Option<Jwk>> {
        let known = find(Some(self.set.as_ref()?), kid);
        let fresh = self.fetched_at.is_some_and(|at| now - at < FRESH);
        (self.paused(now) || (known.is_some() && fresh)).then_some(known)
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

    /// The key with this id. If a fetch fails, the cached keys are used.
    pub(super) async fn key(&self, kid: Option<&str>, now: DateTime<Utc>) -> Result<Option<Jwk>> {
        if let Some(key) = self.keys().serve(kid, now) {
            return Ok(key);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(key) = self.keys().serve(kid, now) {
            return Ok(key);
        }
        if !self.keys().may_try(now) {
            return Err(self.unavailable("its keys could not be fetched a moment ago".into()));
        }
        match self.fetch().await {
            Ok(set) => {
                let found = find(Some(&set), kid);
                let mut keys = self.keys();
                keys.fetched_at = Some(now);
                keys.set = Some(set);
                Ok(found)
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer, %error, "failed to fetch the keys of the OIDC issuer");
                let keys = self.keys();
                if keys.set.is_some() { Ok(find(keys.set.as_ref(), kid)) } else { Err(self.unavailable(error.into())) }
            }
        }
    }

    fn unavailable(&self, source: Source) -> Error {
        Error::unavailable(format!("the OIDC issuer {} cannot be reached; try again", self.issuer), source)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery: Discovery = self.client.get(url).send().await?.error_for_status()?.json().await?;
        if discovery.issuer != self.issuer {
            tracing::warn!(stated = discovery.issuer, "the OIDC discovery document names another issuer");
            return Ok(JwkSet { keys: Vec::new() });
        }
        self.client.get(discovery.jwks_uri).send().await?.error_for_status()?.json().await
    }
}

/// The key with this id; without an id, the only key of the set.
fn find(set: Option<&JwkSet>, kid: Option<&str>) -> Option<Jwk> {
    let set = set?;
    match kid {
        Some(kid) => set.find(kid).cloned(),
        None => match set.keys.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}
