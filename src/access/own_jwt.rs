//! JWTs of this server: personal and team tokens, whose claims clients read.
//!
//! They are signed with HMAC-SHA-256 and a random key of this server, and with nothing else; the JWTs of an OIDC issuer are never
//! signed with a shared secret, so that neither can be taken for the other. A signature alone is not enough: the token must also be
//! stored, and is revoked by deleting its row.

use chrono::{DateTime, Utc};
use entity::id::{AccessTokenId, SigningKeyId};
use entity::signing_key;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::{self, KeyRing, Secret, random_bytes};
use crate::store;

/// Issuer and audience. No OIDC issuer has this name, because theirs are URLs.
const ISSUER: &str = "windlass";

const ALGORITHM: Algorithm = Algorithm::HS256;

/// The length of a key, in bytes: that of the output of SHA-256 (RFC 7518, section 3.2).
const KEY_BYTES: usize = 32;

/// What a token says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnClaims {
    /// The id of its row.
    pub jti: AccessTokenId,
    pub sub: String,
    pub name: String,
    /// The team of a team token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// In seconds since 1970, like `exp`.
    pub iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
}

#[derive(Serialize)]
struct Issued<'a> {
    iss: &'static str,
    aud: &'static str,
    #[serde(flatten)]
    claims: &'a OwnClaims,
}

fn place(id: SigningKeyId) -> String {
    secret::place("signing_key", id.0)
}

/// A new key, sealed.
fn new_key(keys: &KeyRing, now: DateTime<Utc>) -> Result<signing_key::Model> {
    let id = SigningKeyId::create();
    let bytes = Zeroizing::new(random_bytes::<KEY_BYTES>()?);
    Ok(signing_key::Model { id, created_at: now, sealed: keys.seal(&place(id), &*bytes)? })
}

/// The key that signs. The first one is created when it is needed; of servers that need it at once, one creates it.
async fn newest(db: &DatabaseConnection, keys: &KeyRing, now: DateTime<Utc>) -> Result<signing_key::Model> {
    if let Some(row) = store::signing_key::newest(db).await? {
        return Ok(row);
    }
    let first = new_key(keys, now)?;
    store::write(db, async |tx| {
        store::lock_installation(tx).await?;
        match store::signing_key::newest(tx).await? {
            Some(row) => Ok(row),
            None => Ok(store::row::create(tx, first).await?),
        }
    })
    .await
}

/// Signs a token.
///
/// # Errors
/// A database error, or a key that cannot be opened.
pub async fn sign(
    db: &DatabaseConnection,
    keys: &KeyRing,
    claims: &OwnClaims,
    now: DateTime<Utc>,
) -> Result<Secret<String>> {
    let row = newest(db, keys, now).await?;
    let key = keys.open(&place(row.id), &row.sealed)?;
    let header = Header { kid: Some(row.id.to_string()), ..Header::new(ALGORITHM) };
    let issued = Issued { iss: ISSUER, aud: ISSUER, claims };
    let token = jsonwebtoken::encode(&header, &issued, &EncodingKey::from_secret(key.expose()));
    token.map(Secret::new).map_err(Error::internal)
}

/// Whether a credential claims to be a JWT of this server. It proves nothing, but no other verifier may accept it then.
pub(super) fn is_own(credential: &str) -> bool {
    jsonwebtoken::decode_header(credential).is_ok_and(|header| header.alg == ALGORITHM)
}

/// The claims of a JWT that this server signed; none if it did not, or if it has expired.
pub(super) async fn verify(
    db: &DatabaseConnection,
    keys: &KeyRing,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<OwnClaims>> {
    let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
    let Some(id) = header.kid.and_then(|kid| kid.parse::<Uuid>().ok()).map(SigningKeyId) else { return Ok(None) };
    let Some(row) = store::row::by_id::<signing_key::Model>(db, id).await? else { return Ok(None) };
    let key = keys.open(&place(row.id), &row.sealed)?;
    let mut validation = Validation::new(ALGORITHM);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[ISSUER]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    // It is compared with the time of the request below.
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<OwnClaims>(token, &DecodingKey::from_secret(key.expose()), &validation);
    let claims = decoded.ok().map(|decoded| decoded.claims);
    Ok(claims.filter(|claims| claims.exp.is_none_or(|exp| now.timestamp() < exp)))
}

/// Follows a rotation of the key ring: seals the keys again with its newest key, and adds a new one, which signs from then on. Without
/// any key there is nothing to do.
///
/// # Errors
/// A database error, or a key that cannot be opened.
pub async fn rotate(tx: &DatabaseTransaction, keys: &KeyRing, now: DateTime<Utc>) -> Result<()> {
    let rows = store::signing_key::list(tx).await?;
    let is_used = !rows.is_empty();
    for row in rows {
        let key = keys.open(&place(row.id), &row.sealed)?;
        let sealed = keys.seal(&place(row.id), key.expose())?;
        store::row::update(tx, signing_key::Model { sealed, ..row }).await?;
    }
    if is_used {
        store::row::create(tx, new_key(keys, now)?).await?;
    }
    Ok(())
}
