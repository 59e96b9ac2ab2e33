//! The sign-in at the OIDC issuer with the authorization code flow and PKCE (RFC 6749, section 4.1; RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::jwt::{Claims, Verifier, stated};
use crate::error::{Error, Result};
use crate::secret::{Secret, random_bytes};

/// What the person is asked for: who they are.
const SCOPE: &str = "openid profile email";

/// The client of the issuer that this server is.
#[derive(Clone)]
pub struct CodeFlow {
    pub client_id: String,
    pub client_secret: Option<Secret<String>>,
}

/// What the answer of the issuer is checked against.
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    pub state: String,
    nonce: String,
    verifier: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// What an issuer says about a person (`OpenID` Connect Core, section 5.3.2).
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    email_verified: Option<serde_json::Value>,
    #[serde(default)]
    name: Option<String>,
}

impl Attempt {
    /// A new attempt.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn create() -> Result<Self> {
        let text = || Ok::<_, Error>(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?));
        Ok(Self { state: text()?, nonce: text()?, verifier: text()? })
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

impl CodeFlow {
    /// The address at the issuer where a person signs in, and from which they are sent to `redirect`.
    pub(super) async fn address(&self, verifier: &Verifier, attempt: &Attempt, redirect: &str) -> Result<String> {
        let endpoints = verifier.keys.endpoints().await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", SCOPE)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256")
            .finish();
        let separator = if endpoints.authorization.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}{query}", endpoints.authorization))
    }

    /// The request that exchanges a code.
    fn request(&self, attempt: &Attempt, code: &str, redirect: &str) -> String {
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("client_id", &self.client_id)
            .append_pair("code_verifier", &attempt.verifier);
        if let Some(secret) = &self.client_secret {
            fields.append_pair("client_secret", secret.expose());
        }
        fields.finish()
    }

    /// The claims of the person to whom the issuer gave a code; none if the code or its ID token is not valid.
    pub(super) async fn exchange(
        &self,
        verifier: &Verifier,
        attempt: &Attempt,
        (code, redirect): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<Option<Claims>> {
        let endpoints = verifier.keys.endpoints().await?;
        let unavailable = |error: reqwest::Error| verifier.keys.unavailable(error.without_url().into());
        let answer = verifier
            .keys
            .client()
            .post(&endpoints.token)
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(self.request(attempt, code, redirect))
            .send()
            .await
            .map_err(unavailable)?;
        if answer.status().is_client_error() {
            let reason = answer.text().await.unwrap_or_default();
            tracing::warn!(reason = reason.chars().take(500).collect::<String>(), "the OIDC issuer refused a code");
            return Ok(None);
        }
        let tokens: Tokens = answer.error_for_status().map_err(unavailable)?.json().await.map_err(unavailable)?;
        let Some(token) = tokens.id_token else { return Ok(None) };
        let claims = verifier.verify_for(&self.client_id, &token, now).await?;
        let Some(claims) = claims.filter(|claims| claims.nonce.as_deref() == Some(&attempt.nonce)) else {
            return Ok(None);
        };
        Ok(Some(match (&claims.email, endpoints.userinfo, tokens.access_token) {
            (None, Some(address), Some(token)) => completed(verifier, claims, &address, &Secret::new(token)).await,
            _ => claims,
        }))
    }
}

/// The claims with what the issuer says about the person beside the ID token, which often has no address. Without an answer, a person
/// is signed in all the same.
async fn completed(verifier: &Verifier, claims: Claims, address: &str, token: &Secret<String>) -> Claims {
    let asked = async {
        let answer = verifier.keys.client().get(address).bearer_auth(token.expose()).send().await?;
        answer.error_for_status()?.json::<UserInfo>().await
    };
    match asked.await {
        // An answer about somebody else must not be used.
        Ok(info) if info.sub == claims.subject => Claims {
            email: verifier.proven(info.email, info.email_verified.as_ref()),
            name: claims.name.or(info.name),
            ..claims
        },
        Ok(_) => claims,
        Err(error) => {
            let error = error.without_url();
            tracing::warn!(%error, "the OIDC issuer does not say who has signed in");
            claims
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Attempt;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_of_a_verifier() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let attempt = Attempt { state: String::new(), nonce: String::new(), verifier };
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
