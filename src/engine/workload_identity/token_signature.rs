//! The keys that sign identity tokens. They are replaced every month; one that was replaced is published until its last token has expired.
//!
//! Keys are RSA and tokens signed with RS256, because that is what every cloud accepts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use entity::id::IdentityKeyId;
use entity::identity_key;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::json;

use super::identity_claims::{IdentityClaims, LIFETIME};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{self, KeyRing, Secret};
use crate::store;

/// The path of the keys.
pub const DISCOVERY: &str = "/.well-known/jwks";

const BITS: usize = 2048;

/// The exponent of all public keys, 65537, in base64url.
const EXPONENT: &str = "AQAB";

/// A key signs for so many days.
const SIGNING_DAYS: i64 = 30;

/// The public keys, as clouds read them (RFC 7517).
#[derive(Serialize)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Serialize)]
struct PublicKey {
    kid: String,
    kty: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    n: String,
    e: &'static str,
}

/// The keys that are in use, or were a short time ago. There are none before the first token.
///
/// # Errors
/// Database errors.
pub async fn key_set(app: &App) -> Result<KeySet> {
    let public = |row: identity_key::Model| PublicKey {
        kid: row.id.to_string(),
        kty: "RSA",
        alg: "RS256",
        purpose: "sig",
        n: row.modulus,
        e: EXPONENT,
    };
    Ok(KeySet { keys: store::identity_key::list(&app.db).await?.into_iter().map(public).collect() })
}

/// Deletes the keys whose last token has expired. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn delete_replaced(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    // Twice the lifetime, because clocks differ.
    Ok(store::identity_key::delete_replaced(tx, now - TimeDelta::seconds(2 * LIFETIME)).await?)
}

fn place(id: IdentityKeyId) -> String {
    secret::place("identity_key", id.0)
}

/// A new key. It takes about a second of a core.
fn new_key(keys: &KeyRing, now: DateTime<Utc>) -> Result<identity_key::Model> {
    let id = IdentityKeyId::create();
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS).map_err(Error::internal)?;
    let modulus = URL_SAFE_NO_PAD.encode(key.n().to_bytes_be());
    let der = key.to_pkcs8_der().map_err(Error::internal)?;
    Ok(identity_key::Model { id, created_at: now, modulus, sealed: keys.seal(&place(id), der.as_bytes())? })
}

/// The key that signs. It is created when it is needed; of servers that need it at once, one creates it.
async fn signing(app: &App, now: DateTime<Utc>) -> Result<identity_key::Model> {
    let fresh = |row: &identity_key::Model| now - row.created_at < TimeDelta::days(SIGNING_DAYS);
    if let Some(row) = store::identity_key::newest(&app.db).await?.filter(fresh) {
        return Ok(row);
    }
    let keys = app.keys.clone();
    let new = tokio::task::spawn_blocking(move || new_key(&keys, now)).await.map_err(Error::internal)??;
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        match store::identity_key::newest(tx).await?.filter(fresh) {
            Some(row) => Ok(row),
            None => Ok(store::row::create(tx, new.clone()).await?),
        }
    })
    .await
}

/// Signs a token.
///
/// # Errors
/// Database errors, or a key that cannot be opened.
pub(super) async fn sign(app: &App, claims: &IdentityClaims, now: DateTime<Utc>) -> Result<Secret<String>> {
    let row = signing(app, now).await?;
    let der = app.keys.open(&place(row.id), &row.sealed)?;
    let key = RsaKeyPair::from_pkcs8(der.expose()).map_err(|refused| Error::internal(refused.to_string()))?;
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": row.id});
    let payload = serde_json::to_string(claims).map_err(Error::internal)?;
    let signed = format!("{}.{}", encode(header.to_string()), encode(payload));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Error::internal("an identity token could not be signed"))?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}
