//! Checks JWTs of one OIDC issuer.
//!
//! Keys come from the issuer's discovery document, are kept, and are fetched again when a token names a key that
//! is not known, at most once a minute. Only signatures with a private key are accepted (RFC 8725, 3.1): never
//! `none`, never a shared secret.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::error::{Error, Result};

/// Clocks may differ by this much.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Keys are fetched again after this time, so that a key that was withdrawn is forgotten.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// The shortest time between two attempts to fetch keys.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a valid JWT says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// The claim `groups`.
    pub groups: Vec<String>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct RawClaims {
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    email: Option<String>,
    /// A boolean, but some issuers write it as text.
    #[serde(default)]
    email_verified: serde_json::Value,
    #[serde(default)]
    name: Option<String>,
    /// A list of texts; anything else is as none.
    #[serde(default)]
    groups: serde_json::Value,
}

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
    /// What the stored keys say of an id; none when they have to be fetched first.
    fn serve(&self, kid: Option<&str>, now: DateTime<Utc>) -> Option<Option<Jwk>> {
        let known = find(Some(self.set.as_ref()?), kid);
        let fresh = self.fetched_at.is_some_and(|at| now - at < FRESH);
        (self.paused(now) || (known.is_some() && fresh)).then_some(known)
    }

    /// Whether keys may be fetched now; notes the attempt.
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

/// Checks tokens of one issuer for one audience.
pub struct Verifier {
    issuer: String,
    audience: String,
    client: reqwest::Client,
    keys: Mutex<Keys>,
    /// Held while keys are fetched, so that one request does it for all.
    fetching: tokio::sync::Mutex<()>,
}

impl Verifier {
    /// For tokens of `issuer` that name `audience`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(issuer: &str, audience: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            client,
            keys: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// The claims of a token, or none when it is not valid at `now`.
    ///
    /// # Errors
    /// `Unavailable` when the issuer's keys were never fetched and cannot be now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Claims>> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        if !ALGORITHMS.contains(&header.alg) {
            return Ok(None);
        }
        let Some(key) = self.key(header.kid.as_deref(), now).await? else { return Ok(None) };
        let stated = key.common.key_algorithm.and_then(|alg| alg.to_string().parse::<Algorithm>().ok());
        if stated.is_some_and(|alg| alg != header.alg) {
            return Ok(None);
        }
        let Ok(decoding) = DecodingKey::from_jwk(&key) else { return Ok(None) };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The times are checked below, with the time of the request.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let Ok(decoded) = jsonwebtoken::decode::<RawClaims>(token, &decoding, &validation) else {
            return Ok(None);
        };
        Ok(self.check_times(decoded.claims, now))
    }

    fn check_times(&self, claims: RawClaims, now: DateTime<Utc>) -> Option<Claims> {
        let expires_at = DateTime::from_timestamp(claims.exp, 0)?.checked_add_signed(SKEW)?;
        let not_before = match claims.nbf {
            Some(nbf) => Some(DateTime::from_timestamp(nbf, 0)?.checked_sub_signed(SKEW)?),
            None => None,
        };
        let valid = now < expires_at && not_before.is_none_or(|start| start <= now);
        valid.then(|| Claims {
            issuer: self.issuer.clone(),
            subject: claims.sub,
            // An address that the issuer did not check is nobody's.
            email: claims.email.filter(|_| claims.email_verified != false && claims.email_verified != "false"),
            name: claims.name,
            groups: serde_json::from_value(claims.groups).unwrap_or_default(),
            expires_at,
        })
    }

    /// The key of this id. While keys are fetched again, those that are known still serve.
    async fn key(&self, kid: Option<&str>, now: DateTime<Utc>) -> Result<Option<Jwk>> {
        if let Some(key) = self.keys().serve(kid, now) {
            return Ok(key);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(key) = self.keys().serve(kid, now) {
            return Ok(key);
        }
        if !self.keys().may_try(now) {
            return Err(Error::Unavailable("the keys of the OIDC issuer could not be fetched".into()));
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
                tracing::warn!(%error, "the keys of the OIDC issuer could not be fetched");
                let keys = self.keys();
                if keys.set.is_some() {
                    Ok(find(keys.set.as_ref(), kid))
                } else {
                    Err(Error::Unavailable(error.into()))
                }
            }
        }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery: Discovery = self.client.get(url).send().await?.error_for_status()?.json().await?;
        if discovery.issuer != self.issuer {
            tracing::warn!(stated = discovery.issuer, "the OIDC discovery document states another issuer");
            return Ok(JwkSet { keys: Vec::new() });
        }
        self.client.get(discovery.jwks_uri).send().await?.error_for_status()?.json().await
    }
}

/// The key of this id; without an id the only key there is.
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
