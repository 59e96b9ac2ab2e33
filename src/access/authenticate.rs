//! Authenticates the caller from the `Authorization` header.
//!
//! The schemes Bearer and Token both accept either kind of credential, because clients mix them up.
//! The identity of a credential is cached for half a second, so that most requests need no query for it. `forget` clears
//! the cache at once; a revocation in another process takes effect within that time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::Origin;
use entity::id::PersonId;
use entity::{access_token, api_token, person};
use sea_orm::DatabaseConnection;
use serde_json::json;

use super::caller::{Caller, Identity, Subject};
use super::code_flow::{Attempt, CodeFlow};
use super::jwt::{Claims, Verifier};
use super::last_use::LastUse;
use super::membership::{grants, grants_of_token, groups_of};
use super::own_jwt;
use super::principal::{Principal, UnknownPrincipal};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::input::bounds::{CLAIM, GROUPS, SUBJECT};
use crate::input::stored_text::check_length;
use crate::secret::{KeyRing, SESSION_PREFIX, Secret, TOKEN_PREFIX, TokenHash};
use crate::store;
use crate::store::person::Stated;

const REMEMBERED: TimeDelta = TimeDelta::milliseconds(500);
const MOST_REMEMBERED: usize = 10_000;
/// The maximum stored length of a user agent, in characters.
const AGENT_LENGTH: usize = 255;

const MISSING: Error =
    Error::Unauthenticated("credentials are missing: send Authorization: Token <API token> or Bearer <JWT>");
const NO_FLOW: Error = Error::NotFound("sign-in at an OIDC issuer");
const REFUSED: Error = Error::Unauthenticated("the credentials are invalid");

struct CachedIdentity {
    identity: Arc<Identity>,
    until: DateTime<Utc>,
}

/// Authenticates callers.
pub struct Authenticator {
    db: DatabaseConnection,
    /// They open the keys of this server's JWTs.
    keys: KeyRing,
    clock: Clock,
    verifier: Option<Verifier>,
    code_flow: Option<CodeFlow>,
    memory: Mutex<HashMap<TokenHash, CachedIdentity>>,
}

impl Authenticator {
    /// Without a verifier, only tokens of this server are accepted.
    #[must_use]
    pub fn new(db: DatabaseConnection, keys: KeyRing, clock: Clock, verifier: Option<Verifier>) -> Self {
        Self { db, keys, clock, verifier, code_flow: None, memory: Mutex::default() }
    }

    /// Lets people sign in to the console as a client of the issuer.
    #[must_use]
    pub fn with_code_flow(self, code_flow: Option<CodeFlow>) -> Self {
        Self { code_flow, ..self }
    }

    /// How people sign in to the console at the issuer, if they can.
    #[must_use]
    pub fn code_flow(&self) -> Option<(&CodeFlow, &Verifier)> {
        self.code_flow.as_ref().zip(self.verifier.as_ref())
    }

    /// The address at the issuer where a person signs in, and from which they are sent to `redirect`.
    ///
    /// # Errors
    /// `NotFound` when people cannot sign in at an issuer; `Unavailable` when it cannot be reached.
    pub async fn sign_in_address(&self, attempt: &Attempt, redirect: &str) -> Result<String> {
        let (flow, verifier) = self.code_flow().ok_or(NO_FLOW)?;
        flow.address(verifier, attempt, redirect).await
    }

    /// The caller to whom the issuer gave this code.
    ///
    /// # Errors
    /// `Unauthenticated` when the code is not valid; `Unavailable` when the issuer cannot be reached.
    pub async fn signed_in(
        &self,
        attempt: &Attempt,
        (code, redirect): (&str, &str),
        user_agent: Option<&str>,
    ) -> Result<Caller> {
        let now = self.clock.now();
        let (flow, verifier) = self.code_flow().ok_or(NO_FLOW)?;
        let claims = flow.exchange(verifier, attempt, (code, redirect), now).await?.ok_or(REFUSED)?;
        check_claims(&claims).map_err(Error::Unauthenticated)?;
        let identity = Arc::new(self.person(claims, now).await?);
        let user_agent = user_agent.map(|agent| agent.chars().take(AGENT_LENGTH).collect::<String>());
        Ok(Caller { identity, origin: Origin::Console, user_agent, credential: Arc::new(Secret::new(String::new())) })
    }

    /// Whether people sign in at an OIDC issuer.
    #[must_use]
    pub fn people_sign_in(&self) -> bool {
        self.verifier.is_some()
    }

    /// The caller that sent these headers.
    ///
    /// # Errors
    /// `Unauthenticated` without valid credentials; `Unavailable` when they cannot be verified now.
    pub async fn caller(&self, authorization: Option<&str>, user_agent: Option<&str>) -> Result<Caller> {
        let credential = credential(authorization)?;
        // A session is for the console, which protects its forms from other sites.
        if credential.starts_with(SESSION_PREFIX) {
            return Err(REFUSED);
        }
        let identity = self.identity(credential).await?;
        let origin = origin(user_agent);
        let user_agent = user_agent.map(|agent| agent.chars().take(AGENT_LENGTH).collect::<String>());
        Ok(Caller { identity, origin, user_agent, credential: Arc::new(Secret::new(credential.to_owned())) })
    }

    /// The caller behind a token of this server. A JWT of the OIDC issuer is none: it ends too soon to stand for a session.
    ///
    /// # Errors
    /// `Unauthenticated` without a valid token.
    pub async fn token_holder(&self, token: &str, user_agent: Option<&str>) -> Result<Caller> {
        if !token.starts_with(TOKEN_PREFIX) && !own_jwt::is_own(token) {
            return Err(REFUSED);
        }
        self.caller(Some(&format!("Token {token}")), user_agent).await
    }

    /// The caller behind the session of a console, by its cookie.
    ///
    /// # Errors
    /// `Unauthenticated` without a valid session.
    pub async fn visitor(&self, cookie: &str, user_agent: Option<&str>) -> Result<Caller> {
        if !cookie.starts_with(SESSION_PREFIX) {
            return Err(REFUSED);
        }
        let identity = self.identity(cookie).await?;
        let user_agent = user_agent.map(|agent| agent.chars().take(AGENT_LENGTH).collect::<String>());
        Ok(Caller {
            identity,
            origin: Origin::Console,
            user_agent,
            credential: Arc::new(Secret::new(cookie.to_owned())),
        })
    }

    /// The same caller, with the roles that they have now. Responses that outlive a request ask again and again, and end when the
    /// credential does.
    ///
    /// # Errors
    /// `Unauthenticated` when the credential was revoked or has expired; `Unavailable` when it cannot be verified now.
    pub async fn again(&self, caller: &Caller) -> Result<Caller> {
        let identity = self.identity(caller.credential.expose()).await?;
        Ok(Caller { identity, ..caller.clone() })
    }

    async fn identity(&self, credential: &str) -> Result<Arc<Identity>> {
        let now = self.clock.now();
        let hash = TokenHash::of(credential);
        if let Some(identity) = self.remembered(&hash, now) {
            return Ok(identity);
        }
        let (identity, expires) = if credential.starts_with(SESSION_PREFIX) {
            self.session(&hash, now).await?
        } else if credential.starts_with(TOKEN_PREFIX) {
            (self.token(&hash, now).await?, now + REMEMBERED)
        } else if own_jwt::is_own(credential) {
            let claims = own_jwt::verify(&self.db, &self.keys, credential, now).await?.ok_or(REFUSED)?;
            let row = store::team::token_by_hash(&self.db, &hash.stored()).await?;
            let row = row.filter(|row| row.id == claims.jti).ok_or(REFUSED)?;
            (self.access_token(row, now).await?, now + REMEMBERED)
        } else {
            let verifier = self.verifier.as_ref().ok_or(REFUSED)?;
            let claims = verifier.verify(credential, now).await?.ok_or(REFUSED)?;
            check_claims(&claims).map_err(Error::Unauthenticated)?;
            let expires = claims.expires_at;
            (self.person(claims, now).await?, expires)
        };
        let identity = Arc::new(identity);
        self.remember(hash, Arc::clone(&identity), expires.min(now + REMEMBERED));
        Ok(identity)
    }

    /// Clears the cache, after a revocation or a change of roles.
    pub fn forget(&self) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remembered(&self, hash: &TokenHash, now: DateTime<Utc>) -> Option<Arc<Identity>> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let known = memory.get(hash)?;
        (now < known.until).then(|| Arc::clone(&known.identity))
    }

    fn remember(&self, hash: TokenHash, identity: Arc<Identity>, until: DateTime<Utc>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= MOST_REMEMBERED {
            memory.clear();
        }
        memory.insert(hash, CachedIdentity { identity, until });
    }

    async fn token(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Identity> {
        let Some(row) = store::token::by_hash(&self.db, &hash.stored()).await? else {
            let row = store::team::token_by_hash(&self.db, &hash.stored()).await?.ok_or(REFUSED)?;
            return self.access_token(row, now).await;
        };
        self.api_token(row, now).await
    }

    /// The identity behind a session, and its end.
    async fn session(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<(Identity, DateTime<Utc>)> {
        let row = store::console_session::by_hash(&self.db, &hash.stored()).await?.filter(|row| now < row.expires_at);
        let row = row.ok_or(REFUSED)?;
        LastUse::Session(row.id).note(&self.db, Some(row.used_at), now).await;
        let identity = match row.principal.parse() {
            Ok(Principal::ApiToken(id)) => {
                self.api_token(store::token::by_id(&self.db, id).await?.ok_or(REFUSED)?, now).await?
            }
            Ok(Principal::AccessToken(id)) => {
                let token = store::row::by_id::<access_token::Model>(&self.db, id).await?.ok_or(REFUSED)?;
                self.access_token(token, now).await?
            }
            Ok(Principal::Person(id)) => {
                let person = store::row::by_id::<person::Model>(&self.db, id).await?.ok_or(REFUSED)?;
                let memberships = grants(&self.db, store::person::list_memberships(&self.db, id).await?).await?;
                let groups = groups_of(&person, &serde_json::Value::Null);
                let name = person.name.or(person.email).unwrap_or(person.subject);
                let subject = Subject::Person { id, name, email: row.email };
                Identity { subject, memberships, groups, access_token: None, api_token: None }
            }
            Err(UnknownPrincipal) => return Err(REFUSED),
        };
        Ok((identity, row.expires_at))
    }

    async fn api_token(&self, row: api_token::Model, now: DateTime<Utc>) -> Result<Identity> {
        if row.expires_at.is_some_and(|at| at <= now) {
            return Err(REFUSED);
        }
        LastUse::Api(row.id).note(&self.db, row.last_used_at, now).await;
        let memberships = grants_of_token(&self.db, &row).await?;
        let (subject, api_token) = match row.person_id {
            None => (Subject::Token { id: row.id, name: row.name }, None),
            Some(id) => (Subject::Person { id, name: row.name, email: None }, Some(row.id)),
        };
        Ok(Identity { subject, memberships, groups: Vec::new(), access_token: None, api_token })
    }

    /// The identity behind a personal or team access token. A personal token has the groups that its person has now.
    async fn access_token(&self, row: access_token::Model, now: DateTime<Utc>) -> Result<Identity> {
        if row.expires_at.is_some_and(|at| at <= now) {
            return Err(REFUSED);
        }
        LastUse::Access(row.id).note(&self.db, row.last_used_at, now).await;
        let access_token::Model { id: token, person_id, name, groups, .. } = row;
        let Some(id) = person_id else {
            let groups = serde_json::from_value(groups).unwrap_or_default();
            let subject = Subject::Group { name };
            return Ok(Identity {
                subject,
                memberships: Vec::new(),
                groups,
                access_token: Some(token),
                api_token: None,
            });
        };
        let person = store::row::by_id::<person::Model>(&self.db, id).await?.ok_or(REFUSED)?;
        let memberships = grants(&self.db, store::person::list_memberships(&self.db, id).await?).await?;
        let subject = Subject::Person { id, name, email: None };
        Ok(Identity {
            subject,
            memberships,
            groups: groups_of(&person, &groups),
            access_token: Some(token),
            api_token: None,
        })
    }

    /// The person of a valid JWT. A new person is stored, so that they can become a member. Only the issuer and the subject of a person
    /// never change: what a later JWT states is stored, and what it does not state stays as it is.
    async fn person(&self, claims: Claims, now: DateTime<Utc>) -> Result<Identity> {
        let Claims { issuer, subject, email, name, groups, nonce: _, expires_at: _ } = claims;
        let stated = Stated {
            email: email.clone().filter(|text| is_said(text)),
            name: name.filter(|text| is_said(text)),
            groups: groups.as_ref().map(|groups| json!(groups)),
        };
        let known = store::person::by_subject(&self.db, &issuer, &subject).await?;
        let person = match known {
            Some(person) => person,
            None => {
                let row = person::Model {
                    id: PersonId::create(),
                    created_at: now,
                    issuer,
                    subject,
                    email: stated.email.clone(),
                    name: stated.name.clone(),
                    communication_email: None,
                    groups: stated.groups.clone(),
                };
                store::write(&self.db, async |tx| store::person::create(tx, row.clone()).await).await?
            }
        };
        if stated.differs_from(&person) {
            store::write_one(&self.db, async |db| store::person::set_stated(&db, person.id, &stated).await).await?;
        }
        let memberships = grants(&self.db, store::person::list_memberships(&self.db, person.id).await?).await?;
        let name = stated.name.or(person.name).or(stated.email).or(person.email).unwrap_or(person.subject);
        // The address in this JWT, not a stored one: its current owner may accept its invitations.
        let subject = Subject::Person { id: person.id, name, email };
        // The groups as well: one without the claim was not made to act for any.
        let groups = groups.unwrap_or_default();
        Ok(Identity { subject, memberships, groups, access_token: None, api_token: None })
    }
}

/// A blank text says nothing about a person.
fn is_said(text: &str) -> bool {
    !text.trim().is_empty()
}

/// Claims are stored, and shown to others. What cannot be stored is no valid credential.
fn check_claims(claims: &Claims) -> std::result::Result<(), &'static str> {
    let Claims { issuer: _, subject, email, name, groups, nonce: _, expires_at: _ } = claims;
    let is_valid = |text: &str, most| check_length("", text, most).is_ok();
    let is_valid_or_absent = |text: &Option<String>| text.as_deref().is_none_or(|text| is_valid(text, CLAIM));
    if !is_valid(subject, SUBJECT) {
        return Err("the claim sub of the JWT must have at most 255 characters, and no NUL characters");
    }
    if !is_valid_or_absent(email) {
        return Err("the claim email of the JWT must have at most 1024 characters, and no NUL characters");
    }
    if !is_valid_or_absent(name) {
        return Err("the claim name of the JWT must have at most 1024 characters, and no NUL characters");
    }
    let is_refused = |groups: &Vec<String>| groups.len() > GROUPS || groups.iter().any(|group| !is_valid(group, CLAIM));
    if groups.as_ref().is_some_and(is_refused) {
        return Err(
            "the claim groups of the JWT must have at most 1000 items of at most 1024 characters, and no NUL characters",
        );
    }
    Ok(())
}

fn credential(authorization: Option<&str>) -> Result<&str> {
    let (word, rest) = authorization.and_then(|header| header.trim().split_once(' ')).ok_or(MISSING)?;
    let known = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("token");
    let rest = rest.trim();
    if known && !rest.is_empty() { Ok(rest) } else { Err(MISSING) }
}

/// The kind of client, derived from its user agent.
fn origin(user_agent: Option<&str>) -> Origin {
    match user_agent {
        Some(agent) if agent.starts_with("CLI ") => Origin::Cli,
        Some(agent) if agent.starts_with("Terraform provider") => Origin::TerraformProvider,
        Some(agent) if agent.starts_with("Mozilla/") => Origin::Console,
        _ => Origin::Api,
    }
}
