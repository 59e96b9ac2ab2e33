//! Verifies JWTs of one OIDC issuer.
//!
//! Only signatures with a private key are accepted (RFC 8725, section 3.1): never `none`, never a shared secret.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::jwks::KeySet;
use crate::error;

/// The tolerated clock skew.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// How many keys are tried for one token.
const MOST_KEYS: usize = 16;

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

/// The claims of a valid JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// The claim `groups`; none if the token says nothing about it, which is not the same as a person without groups.
    pub groups: Option<Vec<String>>,
    /// Of the sign-in that an ID token belongs to.
    pub nonce: Option<String>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct RawClaims {
    sub: String,
    /// Seconds, possibly with a fraction (RFC 7519, section 2).
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    email: Option<String>,
    /// Only `true` counts; `None` if there is no such claim.
    #[serde(default, deserialize_with = "stated")]
    email_verified: Option<serde_json::Value>,
    #[serde(default)]
    name: Option<String>,
    /// A list of strings; any other value counts as absent.
    #[serde(default)]
    groups: serde_json::Value,
    #[serde(default)]
    nonce: Option<String>,
}

/// Whatever the value of a claim is, it was stated.
pub(super) fn stated<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(from).map(Some)
}

/// The groups in a claim, if it is a list of them.
pub(super) fn listed(claim: serde_json::Value) -> Option<Vec<String>> {
    serde_json::from_value(claim).unwrap_or_default()
}

/// Which email addresses of an issuer count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Those that a token calls verified.
    Verified,
    /// Also those of tokens that say nothing about it, for issuers that never do.
    VerifiedByIssuer,
}

/// Verifies tokens of one issuer for one audience.
pub struct Verifier {
    issuer: String,
    audience: String,
    addresses: Addresses,
    pub(super) keys: KeySet,
}

impl Verifier {
    /// Creates a verifier for tokens issued by `issuer` for `audience`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(issuer: &str, audience: &str, addresses: Addresses) -> error::Result<Self> {
        let keys = KeySet::new(issuer)?;
        Ok(Self { issuer: issuer.to_owned(), audience: audience.to_owned(), addresses, keys })
    }

    /// The claims of a token, or `None` if it is not valid at `now`.
    ///
    /// # Errors
    /// `Unavailable` when the issuer's keys have never been fetched and cannot be fetched now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> error::Result<Option<Claims>> {
        self.verify_for(&self.audience, token, now).await
    }

    /// The claims of an ID token for this client, or `None` if it is not valid at `now`.
    pub(super) async fn verify_for(
        &self,
        audience: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> error::Result<Option<Claims>> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        if !ALGORITHMS.contains(&header.alg) {
            return Ok(None);
        }
        // Several keys may have one id, and a token may name none.
        let keys = self.keys.list(header.kid.as_deref(), now).await?;
        Ok(keys
            .iter()
            .take(MOST_KEYS)
            .find_map(|key| self.decode(audience, token, header.alg, key))
            .and_then(|claims| self.check_times(claims, now)))
    }

    /// The claims of a token, if this key signed it.
    fn decode(&self, audience: &str, token: &str, algorithm: Algorithm, key: &Jwk) -> Option<RawClaims> {
        let stated = key.common.key_algorithm.and_then(|alg| alg.to_string().parse::<Algorithm>().ok());
        if stated.is_some_and(|alg| alg != algorithm) {
            return None;
        }
        let decoding = DecodingKey::from_jwk(key).ok()?;
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `check_times` checks them against the time of the request.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        jsonwebtoken::decode::<RawClaims>(token, &decoding, &validation).ok().map(|decoded| decoded.claims)
    }

    /// An address, if it is verified. An unverified address proves nothing.
    pub(super) fn proven(&self, email: Option<String>, verified: Option<&serde_json::Value>) -> Option<String> {
        let is_verified = match verified {
            Some(stated) => *stated == true,
            None => self.addresses == Addresses::VerifiedByIssuer,
        };
        email.filter(|_| is_verified)
    }

    fn check_times(&self, claims: RawClaims, now: DateTime<Utc>) -> Option<Claims> {
        let expires_at = time(claims.exp)?.checked_add_signed(SKEW)?;
        let not_before = match claims.nbf {
            Some(nbf) => Some(time(nbf)?.checked_sub_signed(SKEW)?),
            None => None,
        };
        let valid = now < expires_at && not_before.is_none_or(|start| start <= now);
        let email = self.proven(claims.email, claims.email_verified.as_ref());
        valid.then(|| Claims {
            issuer: self.issuer.clone(),
            subject: claims.sub,
            email,
            name: claims.name,
            groups: listed(claims.groups),
            nonce: claims.nonce,
            expires_at,
        })
    }
}

/// A time in seconds since 1970.
fn time(seconds: f64) -> Option<DateTime<Utc>> {
    /// Within the range of times that can be represented.
    const LAST: f64 = 8.0e12;
    if !(0.0..=LAST).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let micros = (seconds * 1_000_000.0) as i64;
    DateTime::from_timestamp_micros(micros)
}
