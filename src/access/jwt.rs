//! Verifies JWTs of one OIDC issuer.
//!
//! Only signatures with a private key are accepted (RFC 8725, section 3.1): never `none`, never a shared secret.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::jwks::KeySet;
use crate::error::Result;

/// The tolerated clock skew.
const SKEW: TimeDelta = TimeDelta::seconds(60);

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
    /// A boolean; some issuers send it as text.
    #[serde(default)]
    email_verified: serde_json::Value,
    #[serde(default)]
    name: Option<String>,
    /// A list of strings; any other value counts as absent.
    #[serde(default)]
    groups: serde_json::Value,
}

/// Verifies tokens of one issuer for one audience.
pub struct Verifier {
    issuer: String,
    audience: String,
    keys: KeySet,
}

impl Verifier {
    /// Creates a verifier for tokens issued by `issuer` for `audience`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(issuer: &str, audience: &str) -> Result<Self> {
        Ok(Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys: KeySet::new(issuer)? })
    }

    /// The claims of a token, or `None` if it is not valid at `now`.
    ///
    /// # Errors
    /// `Unavailable` when the issuer's keys have never been fetched and cannot be fetched now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Claims>> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        if !ALGORITHMS.contains(&header.alg) {
            return Ok(None);
        }
        let Some(key) = self.keys.key(header.kid.as_deref(), now).await? else { return Ok(None) };
        let stated = key.common.key_algorithm.and_then(|alg| alg.to_string().parse::<Algorithm>().ok());
        if stated.is_some_and(|alg| alg != header.alg) {
            return Ok(None);
        }
        let Ok(decoding) = DecodingKey::from_jwk(&key) else { return Ok(None) };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `check_times` checks them against the time of the request.
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
            // An unverified address proves nothing.
            email: claims.email.filter(|_| claims.email_verified != false && claims.email_verified != "false"),
            name: claims.name,
            groups: serde_json::from_value(claims.groups).unwrap_or_default(),
            expires_at,
        })
    }
}
