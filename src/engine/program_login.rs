//! `terraform login`: a person agrees in the console that a program acts as them, and the program exchanges a code for a token
//! (RFC 6749, section 4.1, with the proof of RFC 7636). A code is used once, within ten minutes, by whoever asked for it.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entity::id::{LoginCodeId, PersonId};
use entity::{access_token, login_code, person};
use sha2::{Digest as _, Sha256};

use super::own_token::{self, NewOwnToken, OwnerOfToken};
use crate::access::principal::Principal;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{Secret, TokenHash, new_login_code};
use crate::store;

/// The only client: a program on the person's own computer.
pub const CLIENT: &str = "terraform-cli";

/// How long a code works.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// The length of a SHA-256 in base64.
const CHALLENGE: usize = 43;

/// The longest address and the longest state, in characters.
const LONGEST: usize = 1024;

/// What a program asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// Where the program listens.
    pub redirect_uri: String,
    /// The SHA-256 of what only the program knows.
    pub challenge: String,
    /// What the program gets back unchanged.
    pub state: String,
}

/// The parameters of a request, as they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub client_id: &'a str,
    pub response_type: &'a str,
    pub redirect_uri: &'a str,
    pub code_challenge: &'a str,
    pub code_challenge_method: &'a str,
    pub state: &'a str,
}

impl LoginRequest {
    /// Checks a request.
    ///
    /// # Errors
    /// `Invalid` with the parameter.
    pub fn check(asked: Asked<'_>) -> Result<Self> {
        let Asked { client_id, response_type, redirect_uri, code_challenge, code_challenge_method, state } = asked;
        for (field, given, only) in [
            ("client_id", client_id, CLIENT),
            ("response_type", response_type, "code"),
            ("code_challenge_method", code_challenge_method, "S256"),
        ] {
            if given != only {
                return Err(Error::invalid(field, format!("must be {only}")));
            }
        }
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if code_challenge.len() != CHALLENGE || !code_challenge.bytes().all(is_base64) {
            return Err(Error::invalid("code_challenge", "must be a SHA-256 in base64 for URLs"));
        }
        if redirect_uri.len() > LONGEST || origin(redirect_uri).is_none() {
            let text = "must be an address of a program on your own computer, such as http://localhost:10000/login";
            return Err(Error::invalid("redirect_uri", text));
        }
        if state.is_empty() || state.len() > LONGEST {
            return Err(Error::invalid("state", format!("must have 1 to {LONGEST} characters")));
        }
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            challenge: code_challenge.to_owned(),
            state: state.to_owned(),
        })
    }

    /// The origin at which the program listens.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(&self.redirect_uri).unwrap_or_default()
    }

    /// Where the browser goes with the code.
    #[must_use]
    pub fn answer(&self, code: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", code)
            .append_pair("state", &self.state)
            .finish();
        format!("{}?{query}", self.redirect_uri)
    }
}

/// The origin of an address on this computer, without a query, a login or odd characters.
fn origin(address: &str) -> Option<String> {
    let rest = address.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    if !path.bytes().all(is_plain) {
        return None;
    }
    let (host, port) = authority.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_here.then(|| format!("http://{authority}"))
}

/// Stores that somebody agreed. Returns the code.
///
/// # Errors
/// A database error.
pub async fn agree(app: &App, principal: String, request: &LoginRequest) -> Result<Secret<String>> {
    let code = new_login_code()?;
    let row = login_code::Model {
        id: LoginCodeId::create(),
        hash: TokenHash::of(code.expose()).stored(),
        principal,
        challenge: request.challenge.clone(),
        redirect_uri: request.redirect_uri.clone(),
        expires_at: app.clock.now() + LIFETIME,
    };
    store::write(&app.db, async |tx| store::row::create(tx, row).await.map_err(Error::from)).await?;
    Ok(code)
}

/// What a program sends for a token.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub code: &'a str,
    /// What only the program knows.
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
}

/// Exchanges a code for a token of the person who agreed. None if the code is not valid, or was used before: a second attempt finds
/// nothing, whatever it knows.
///
/// # Errors
/// A database error.
pub async fn exchange(app: &App, given: Exchange<'_>) -> Result<Option<Secret<String>>> {
    let Exchange { code, verifier, redirect_uri } = given;
    let (now, hash) = (app.clock.now(), TokenHash::of(code).stored());
    let taken =
        store::write(&app.db, async |tx| store::login_code::take(tx, &hash, now).await.map_err(Error::from)).await?;
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let Some(row) = taken.filter(|row| row.challenge == proof && row.redirect_uri == redirect_uri) else {
        return Ok(None);
    };
    let Some(person) = person_behind(app, &row.principal).await? else { return Ok(None) };
    let groups: Vec<String> = person.groups.and_then(|groups| serde_json::from_value(groups).ok()).unwrap_or_default();
    let name = person.name.or(person.email).unwrap_or(person.subject);
    let wanted = NewOwnToken {
        owner: OwnerOfToken::Person(person.id, &groups),
        by: &name,
        description: Some("terraform login".to_owned()),
        expires_at: None,
        lifetime: None,
    };
    own_token::create(app, wanted, now).await.map(Some)
}

/// The person that a principal stands for, if it still does.
async fn person_behind(app: &App, principal: &str) -> Result<Option<person::Model>> {
    let id: Option<PersonId> = match principal.parse() {
        Ok(Principal::Person(id)) => Some(id),
        Ok(Principal::AccessToken(id)) => {
            store::row::by_id::<access_token::Model>(&app.db, id).await?.and_then(|row| row.person_id)
        }
        Ok(Principal::ApiToken(id)) => store::token::by_id(&app.db, id).await?.and_then(|row| row.person_id),
        Err(_) => None,
    };
    match id {
        Some(id) => Ok(store::row::by_id::<person::Model>(&app.db, id).await?),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, LoginRequest, origin};

    #[test]
    fn only_addresses_of_this_computer() {
        for (address, expected) in [
            ("http://localhost:10000/login", "http://localhost:10000"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
            ("http://[::1]:65535/a/b", "http://[::1]:65535"),
        ] {
            assert_eq!(origin(address).as_deref(), Some(expected), "{address}");
        }
        for address in [
            "https://localhost:1/login",
            "http://localhost/login",
            "http://localhost:0/login",
            "http://localhost:70000/login",
            "http://localhost.example:1/login",
            "http://evil.example:1/login",
            "http://localhost@evil.example:1/",
            "http://me@localhost:1/",
            "http://localhost:1",
            "http://localhost:1/login?x=1",
            "http://localhost:1/login#x",
            "http://192.0.2.1:1/login",
            "http://localhost:1/\r\nx",
        ] {
            assert_eq!(origin(address), None, "{address}");
        }
    }

    #[test]
    fn a_request_is_checked_and_answered() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let fine = Asked {
            client_id: "terraform-cli",
            response_type: "code",
            redirect_uri: "http://localhost:10000/login",
            code_challenge: challenge,
            code_challenge_method: "S256",
            state: "a b&c",
        };
        let request = LoginRequest::check(fine).unwrap();
        assert_eq!(request.answer("x"), "http://localhost:10000/login?code=x&state=a+b%26c");
        assert_eq!(request.origin(), "http://localhost:10000");
        for (field, wrong) in [
            ("client_id", Asked { client_id: "other", ..fine }),
            ("response_type", Asked { response_type: "token", ..fine }),
            ("code_challenge_method", Asked { code_challenge_method: "plain", ..fine }),
            ("code_challenge", Asked { code_challenge: "short", ..fine }),
            ("redirect_uri", Asked { redirect_uri: "http://evil.example:1/", ..fine }),
            ("state", Asked { state: "", ..fine }),
        ] {
            assert!(LoginRequest::check(wrong).unwrap_err().public().starts_with(&format!("{field}: ")), "{field}");
        }
    }
}
