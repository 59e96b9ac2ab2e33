//! The sign-in at the OIDC issuer with the authorization code flow and PKCE (RFC 6749, section 4.1; RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::jwks::{Endpoints, KeySet, SecretIn};
use super::jwt::{Claims, Verifier, listed, stated};
use crate::error::{Error, Result};
use crate::input::read_json;
use crate::secret::{Secret, random_bytes};

/// What the person is asked for: who they are.
const SCOPE: &str = "openid profile email";
/// The same with their groups, which many issuers tell only then. Others do not accept a scope that they do not know.
const SCOPE_WITH_GROUPS: &str = "openid profile email groups";

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
    /// The issuer did not accept the scope `groups` for this client.
    #[serde(default)]
    without_groups: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
    /// What was granted, if it is not what was asked for.
    #[serde(default)]
    scope: serde_json::Value,
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
    #[serde(default)]
    groups: serde_json::Value,
}

impl Attempt {
    /// A new attempt.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn create() -> Result<Self> {
        let text = || Ok::<_, Error>(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?));
        Ok(Self { state: text()?, nonce: text()?, verifier: text()?, without_groups: false })
    }

    /// Another attempt after the issuer has refused the scopes of this one; none if there is nothing to leave out.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn with_fewer_scopes(&self) -> Result<Option<Self>> {
        if self.without_groups {
            return Ok(None);
        }
        Ok(Some(Self { without_groups: true, ..Self::create()? }))
    }

    fn asks_for_groups(&self, endpoints: &Endpoints) -> bool {
        endpoints.has_groups && !self.without_groups
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
            .append_pair("scope", if attempt.asks_for_groups(&endpoints) { SCOPE_WITH_GROUPS } else { SCOPE })
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256")
            .finish();
        let separator = if endpoints.authorization.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}{query}", endpoints.authorization))
    }

    /// A request to the token endpoint with this client's credentials.
    fn request(&self, request: RequestBuilder, fields: &[(&str, &str)], secret_in: SecretIn) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let request = match (&self.client_secret, secret_in) {
            // Both parts are encoded as in a form (RFC 6749, section 2.3.1).
            (Some(secret), SecretIn::Header) => {
                let secret = Secret::new(encoded(secret.expose()));
                request.basic_auth(encoded(&self.client_id), Some(secret.expose()))
            }
            (Some(secret), SecretIn::Form) => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", secret.expose());
                request
            }
            (None, _) => {
                form.append_pair("client_id", &self.client_id);
                request
            }
        };
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
    }

    /// The tokens for a code; none if it is not valid. An issuer that does not know the client by one way of sending its secret is
    /// asked the other way: it has not looked at the code yet.
    async fn tokens(&self, keys: &KeySet, at: &Endpoints, fields: &[(&str, &str)]) -> Result<Option<Tokens>> {
        let unavailable = |error: reqwest::Error| keys.unavailable(error.without_url().into());
        let ways: &[SecretIn] = if self.client_secret.is_some() { at.secret_in } else { &[SecretIn::Form] };
        let mut reason = String::new();
        for way in ways {
            let request = self.request(keys.client().post(&at.token), fields, *way);
            let answer = request.send().await.map_err(unavailable)?;
            let status = answer.status();
            if !status.is_client_error() {
                let answer = answer.error_for_status().map_err(unavailable)?;
                return Ok(Some(answer.json().await.map_err(unavailable)?));
            }
            let text = answer.text().await.unwrap_or_default();
            reason = text.chars().take(500).collect();
            if !refuses_client(status, &text) {
                tracing::warn!(reason, "the OIDC issuer refused a code");
                return Ok(None);
            }
        }
        Err(keys.refuses_client(reason.into()))
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
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let Some(tokens) = self.tokens(&verifier.keys, &endpoints, &fields).await? else { return Ok(None) };
        let Some(token) = tokens.id_token else { return Ok(None) };
        let claims = verifier.verify_for(&self.client_id, &token, now).await?;
        let Some(claims) = claims.filter(|claims| claims.nonce.as_deref() == Some(&attempt.nonce)) else {
            return Ok(None);
        };
        let is_granted = tokens.scope.as_str().is_none_or(|scope| scope.split(' ').any(|one| one == "groups"));
        let are_groups_told = is_granted && attempt.asks_for_groups(&endpoints);
        let is_complete = claims.email.is_some() && claims.name.is_some() && claims.groups.is_some();
        let (Some(address), Some(token), false) = (endpoints.userinfo, tokens.access_token, is_complete) else {
            return Ok(Some(claims));
        };
        let Some(claims) = completed(verifier, &claims, &address, &Secret::new(token)).await else {
            return Ok(Some(claims));
        };
        // Who has no groups is often told by their absence.
        let groups = claims.groups.or_else(|| are_groups_told.then(Vec::new));
        Ok(Some(Claims { groups, ..claims }))
    }
}

/// Whether an answer is about the client, and not about the code. Some issuers say the one of these errors, and some the other.
fn refuses_client(status: StatusCode, text: &str) -> bool {
    let said = read_json::parse(text.as_bytes()).unwrap_or_default();
    match said.get("error").and_then(serde_json::Value::as_str) {
        Some(error) => matches!(error, "invalid_client" | "unauthorized_client"),
        None => status == StatusCode::UNAUTHORIZED,
    }
}

/// The claims with what the issuer says about the person beside the ID token, which often has no address and no groups. Without an
/// answer there are none, and a person is signed in all the same.
async fn completed(verifier: &Verifier, claims: &Claims, address: &str, token: &Secret<String>) -> Option<Claims> {
    let asked = async {
        let answer = verifier.keys.client().get(address).bearer_auth(token.expose()).send().await?;
        answer.error_for_status()?.json::<UserInfo>().await
    };
    match asked.await {
        // An answer about somebody else must not be used.
        Ok(info) if info.sub == claims.subject => {
            let known = claims.clone();
            Some(Claims {
                email: known.email.or_else(|| verifier.proven(info.email, info.email_verified.as_ref())),
                name: known.name.or(info.name),
                groups: known.groups.or_else(|| listed(info.groups)),
                ..known
            })
        }
        Ok(_) => None,
        Err(error) => {
            let error = error.without_url();
            tracing::warn!(%error, "the OIDC issuer does not say who has signed in");
            None
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
        let attempt = Attempt { state: String::new(), nonce: String::new(), verifier, without_groups: false };
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
