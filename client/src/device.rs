//! The device flow of OIDC (RFC 8628): a person confirms a code in any browser, and this program gets tokens of the issuer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::{Failure, Result};

/// How long the issuer may take to answer.
const WAIT: Duration = Duration::from_secs(30);
/// The pause between two questions if the issuer names none, and what is added when it asks for fewer, in seconds.
const PAUSE: u64 = 5;
/// The longest time that a person gets, in seconds.
const PATIENCE: u64 = 3600;
/// A token is renewed this long before it ends.
const EARLY: TimeDelta = TimeDelta::seconds(30);

/// Who the person is, and tokens that are renewed.
const SCOPE: &str = "openid email profile offline_access";
/// The same with their groups, which many issuers tell only then. Others do not accept a scope that they do not know.
const SCOPE_WITH_GROUPS: &str = "openid email profile groups offline_access";

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a server tells about its issuer.
#[derive(Deserialize)]
pub(crate) struct Issuer {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) audience: String,
}

/// Which of the tokens the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Uses {
    AccessToken,
    IdToken,
}

/// How a stored token is renewed. No `Debug`: the refresh token is a secret.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct SignIn {
    pub(crate) token_endpoint: String,
    pub(crate) client_id: String,
    pub(crate) uses: Uses,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl SignIn {
    /// Whether the token has to be renewed before it is used.
    pub(crate) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end - EARLY <= now)
    }
}

/// The endpoints of an issuer.
#[derive(Deserialize)]
pub(crate) struct Endpoints {
    issuer: String,
    pub(crate) token_endpoint: String,
    device_authorization_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
}

/// What a person has to do.
#[derive(Deserialize)]
pub(crate) struct Code {
    device_code: String,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
    expires_in: Option<u64>,
    interval: Option<u64>,
}

/// The tokens of an issuer. No `Debug`.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    access_token: String,
    id_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    expires_in: Option<i64>,
}

impl Tokens {
    /// The token of a kind.
    pub(crate) fn get(&self, uses: Uses) -> Option<&str> {
        match uses {
            Uses::AccessToken => Some(&self.access_token),
            Uses::IdToken => self.id_token.as_deref(),
        }
    }

    /// When the token of a kind ends. What the issuer says beside the tokens is about the access token alone; an ID token says it itself.
    pub(crate) fn end(&self, uses: Uses, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let own = self.get(uses).and_then(end_of_jwt);
        let beside = || now.checked_add_signed(TimeDelta::try_seconds(self.expires_in?)?);
        match uses {
            Uses::AccessToken => beside().or(own),
            Uses::IdToken => own,
        }
    }
}

/// The end in a JWT, which the server checks; none if it is another kind of token.
fn end_of_jwt(token: &str) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Claims {
        /// Seconds, possibly with a fraction (RFC 7519, section 2).
        exp: f64,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let since = Duration::try_from_secs_f64(claims.exp).ok()?;
    DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::from_std(since).ok()?)
}

/// An issuer that refuses.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

/// What follows from an answer of the token endpoint.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait,
    WaitLonger,
    End(String),
}

fn next(refusal: Refusal) -> Next {
    match refusal.error.as_str() {
        "authorization_pending" => Next::Wait,
        "slow_down" => Next::WaitLonger,
        "expired_token" => Next::End("the code has expired: run `windlass login --device` again".into()),
        "access_denied" => Next::End("the sign-in was refused at the issuer".into()),
        other => {
            let more = refusal.error_description.map(|text| format!(": {text}")).unwrap_or_default();
            Next::End(format!("the issuer does not sign in: {other}{more}"))
        }
    }
}

/// A client of an issuer.
pub(crate) struct Device {
    http: reqwest::Client,
}

impl Device {
    pub(crate) fn new() -> Result<Self> {
        // The tokens go to the endpoints that the issuer names, and to no other ones.
        let http = reqwest::Client::builder().connect_timeout(WAIT).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self { http: http.map_err(|error| Failure::Refused(error.to_string()))? })
    }

    /// Reads the endpoints of an issuer.
    pub(crate) async fn endpoints(&self, issuer: &str) -> Result<Endpoints> {
        check_address(issuer)?;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let (status, text) = self.call(Method::GET, &address, None).await?;
        let read = serde_json::from_str(&text).map_err(|_| {
            Failure::Refused(format!("{address} answers {status}, and is no description of an OIDC issuer"))
        });
        let endpoints: Endpoints = read?;
        if endpoints.issuer != issuer {
            return Err(Failure::Refused(format!("{address} describes another issuer, {}", endpoints.issuer)));
        }
        check_address(&endpoints.token_endpoint)?;
        Ok(endpoints)
    }

    /// Asks for a code.
    pub(crate) async fn code(&self, issuer: &Issuer, endpoints: &Endpoints) -> Result<Code> {
        let none = || Failure::Refused(format!("{} has no device flow: sign in with a token", issuer.issuer));
        let address = endpoints.device_authorization_endpoint.as_deref().ok_or_else(none)?;
        check_address(address)?;
        let form = |scope: &'static str| {
            [("client_id", issuer.client_id.as_str()), ("scope", scope), ("audience", issuer.audience.as_str())]
        };
        let has_groups = endpoints.scopes_supported.iter().flatten().any(|scope| scope == "groups");
        let scope = if has_groups { SCOPE_WITH_GROUPS } else { SCOPE };
        let (mut status, mut text) = self.call(Method::POST, address, Some(&form(scope))).await?;
        let is_refused = serde_json::from_str(&text).is_ok_and(|refusal: Refusal| refusal.error == "invalid_scope");
        if has_groups && is_refused {
            // The issuer has the scope, and this client may not ask for it.
            (status, text) = self.call(Method::POST, address, Some(&form(SCOPE))).await?;
        }
        serde_json::from_str(&text).map_err(|_| {
            let said = serde_json::from_str::<Refusal>(&text).ok().map(|refusal| match next(refusal) {
                Next::End(text) => text,
                Next::Wait | Next::WaitLonger => "the issuer answers out of turn".into(),
            });
            Failure::Refused(said.unwrap_or_else(|| format!("{address} answers {status}, and no code")))
        })
    }

    /// Waits until the person has confirmed the code.
    pub(crate) async fn tokens(&self, issuer: &Issuer, endpoints: &Endpoints, code: &Code) -> Result<Tokens> {
        let form =
            [("grant_type", GRANT), ("device_code", code.device_code.as_str()), ("client_id", &issuer.client_id)];
        let until =
            tokio::time::Instant::now() + Duration::from_secs(code.expires_in.unwrap_or(PATIENCE).min(PATIENCE));
        let mut pause = Duration::from_secs(code.interval.unwrap_or(PAUSE).clamp(1, PATIENCE));
        loop {
            if tokio::time::Instant::now() + pause > until {
                return Err(Failure::NotSignedIn(
                    "nobody has confirmed the code in time: run `windlass login --device` again".into(),
                ));
            }
            tokio::time::sleep(pause).await;
            match self.ask(&endpoints.token_endpoint, &form).await {
                Ok(Ok(tokens)) => return Ok(tokens),
                Ok(Err(Next::Wait)) => {}
                Ok(Err(Next::WaitLonger)) => pause += Duration::from_secs(PAUSE),
                Ok(Err(Next::End(text))) => return Err(Failure::NotSignedIn(text)),
                // An issuer that cannot be reached for a while is asked less often.
                Err(_) => pause *= 2,
            }
        }
    }

    /// Renews tokens.
    pub(crate) async fn refreshed(&self, sign_in: &SignIn) -> Result<Tokens> {
        let over = || Failure::NotSignedIn("the sign-in has ended: run `windlass login --device` again".into());
        let token = sign_in.refresh_token.as_deref().ok_or_else(over)?;
        check_address(&sign_in.token_endpoint)?;
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", sign_in.client_id.as_str())];
        match self.ask(&sign_in.token_endpoint, &form).await? {
            Ok(tokens) => Ok(tokens),
            Err(Next::End(text)) => Err(Failure::NotSignedIn(format!("{text}. Run `windlass login --device` again"))),
            Err(Next::Wait | Next::WaitLonger) => Err(over()),
        }
    }

    async fn ask(&self, address: &str, form: &[(&str, &str)]) -> Result<std::result::Result<Tokens, Next>> {
        let (status, text) = self.call(Method::POST, address, Some(form)).await?;
        if let Ok(tokens) = serde_json::from_str::<Tokens>(&text) {
            return Ok(Ok(tokens));
        }
        match serde_json::from_str::<Refusal>(&text) {
            Ok(refusal) => Ok(Err(next(refusal))),
            Err(_) => Err(Failure::Refused(format!("{address} answers {status}, and neither tokens nor an error"))),
        }
    }

    async fn call(
        &self,
        method: Method,
        address: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Result<(reqwest::StatusCode, String)> {
        let mut request = self.http.request(method, address).header("accept", "application/json").timeout(WAIT);
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(form)?);
        }
        let unreachable = |error: reqwest::Error| {
            Failure::Refused(format!("{address} cannot be reached: {}", crate::api::innermost(&error)))
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        Ok((status, answer.text().await.map_err(unreachable)?))
    }
}

/// Tokens are only sent where nobody can read them on the way.
fn check_address(address: &str) -> Result<()> {
    let wrong = || Failure::Refused(format!("{address} is no https:// address, and no sign-in is sent there"));
    let url = Url::parse(address).map_err(|_| wrong())?;
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if url.scheme() == "https" || (url.scheme() == "http" && is_here) { Ok(()) } else { Err(wrong()) }
}

/// The body of a form.
fn encoded(form: &[(&str, &str)]) -> Result<String> {
    let mut url = Url::parse("https://form.invalid").map_err(|error| Failure::Refused(error.to_string()))?;
    url.query_pairs_mut().extend_pairs(form);
    Ok(url.query().unwrap_or_default().to_owned())
}

/// What the server at an address tells about its issuer.
pub(crate) async fn issuer_of(url: &str) -> Result<Issuer> {
    let base = crate::api::base(url)?;
    let device = Device::new()?;
    let (_, text) = device.call(Method::GET, &format!("{base}/.well-known/windlass"), None).await?;
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    serde_json::from_value(told.get("device_sign_in").cloned().unwrap_or_default()).map_err(|_| {
        let text = "has no sign-in by an OIDC issuer for clients (--oidc-device-client-id): sign in with a token";
        Failure::Refused(format!("{base} {text}"))
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{Next, Refusal, SignIn, Tokens, Uses, check_address, encoded, next};

    #[test]
    fn answers_say_what_comes_next() {
        let of = |error: &str, more: Option<&str>| {
            next(Refusal { error: error.into(), error_description: more.map(str::to_owned) })
        };
        assert_eq!(of("authorization_pending", None), Next::Wait);
        assert_eq!(of("slow_down", None), Next::WaitLonger);
        for (error, more, text) in [
            ("expired_token", None, "the code has expired"),
            ("access_denied", Some("no"), "was refused at the issuer"),
            ("invalid_client", Some("who?"), "invalid_client: who?"),
        ] {
            match of(error, more) {
                Next::End(said) => assert!(said.contains(text), "{said}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn tokens_are_sent_safely() {
        for (address, is_safe) in [
            ("https://login.example.com/token", true),
            ("http://127.0.0.1:9000/token", true),
            ("http://localhost/token", true),
            ("http://login.example.com/token", false),
            ("http://127.0.0.1.example.com", false),
            ("token", false),
        ] {
            assert_eq!(check_address(address).is_ok(), is_safe, "{address}");
        }
        assert_eq!(encoded(&[("a b", "c&d=é")]).unwrap(), "a+b=c%26d%3D%C3%A9");
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let end = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let of = |expires_at| SignIn {
            token_endpoint: String::new(),
            client_id: String::new(),
            uses: Uses::AccessToken,
            refresh_token: None,
            expires_at,
        };
        assert!(of(Some(end)).is_over(end - TimeDelta::seconds(20)));
        assert!(!of(Some(end)).is_over(end - TimeDelta::seconds(40)));
        assert!(!of(None).is_over(end));
    }

    /// The payload says `{"exp":7200.5}`.
    #[test]
    fn each_token_has_its_own_end() {
        let jwt = "e30.eyJleHAiOjcyMDAuNX0.c2ln";
        let of = |access_token: &str, expires_in| Tokens {
            access_token: access_token.into(),
            id_token: Some(jwt.into()),
            refresh_token: None,
            expires_in,
        };
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let in_jwt = Some(DateTime::UNIX_EPOCH + TimeDelta::milliseconds(7_200_500));
        let beside = Some(now + TimeDelta::days(1));
        assert_eq!(of("opaque", Some(86_400)).end(Uses::IdToken, now), in_jwt);
        assert_eq!(of("opaque", Some(86_400)).end(Uses::AccessToken, now), beside);
        assert_eq!(of(jwt, None).end(Uses::AccessToken, now), in_jwt);
        for other in ["opaque", "a.b.c", "e30.e30.", ""] {
            assert_eq!(of(other, None).end(Uses::AccessToken, now), None, "{other}");
        }
    }
}
