//! Personal and team access tokens, as people create and revoke them for themselves. Callers have checked whose a token may be.

use chrono::{DateTime, Utc};
use entity::access_token;
use entity::id::{AccessTokenId, PersonId};
use serde_json::{Value, json};

use super::limits;
use crate::access::own_jwt::{self, OwnClaims};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{Secret, TokenHash};
use crate::store;

/// Whose a token is.
pub enum OwnerOfToken<'a> {
    /// Of a person, who belongs to these groups.
    Person(PersonId, &'a [String]),
    /// Of a group, and created by this person, if it was one.
    Team(String, Option<PersonId>),
}

/// A token that is asked for.
pub struct NewOwnToken<'a> {
    pub owner: OwnerOfToken<'a>,
    /// The name of whoever creates it.
    pub by: &'a str,
    pub description: Option<String>,
    /// None for the end that the settings of the server give it.
    pub expires_at: Option<DateTime<Utc>>,
    /// The lifetime as it was asked for, if it was.
    pub lifetime: Option<Value>,
}

/// Creates a token, which is returned once.
///
/// # Errors
/// `Invalid`, which names the field; or a database error.
pub async fn create(app: &App, wanted: NewOwnToken<'_>, now: DateTime<Utc>) -> Result<Secret<String>> {
    let NewOwnToken { owner, by, description, expires_at, lifetime } = wanted;
    let description = description.map(|text| limits::text("description", text)).transpose()?;
    let expires_at = match expires_at {
        Some(at) if at <= now => return Err(Error::invalid("expires_at", "must be in the future")),
        Some(at) => Some(at),
        None => app.config.token_end(now),
    };
    let (person_id, creator_id, name, groups, kind) = match owner {
        OwnerOfToken::Person(id, groups) => (Some(id), Some(id), by.to_owned(), groups.to_vec(), "Token"),
        OwnerOfToken::Team(group, creator) => (None, creator, group.clone(), vec![group], "Team Token"),
    };
    let id = AccessTokenId::create();
    let claims = OwnClaims {
        jti: id,
        sub: format!("{name} ({kind})"),
        name: name.clone(),
        groups: person_id.is_none().then(|| groups.clone()),
        description: description.clone(),
        iat: now.timestamp(),
        exp: expires_at.map(|at| at.timestamp()),
    };
    let token = own_jwt::sign(&app.db, &app.keys, &claims, now).await?;
    let row = access_token::Model {
        id,
        person_id,
        created_at: now,
        created_by: by.to_owned(),
        name,
        description,
        groups: json!(groups),
        hash: TokenHash::of(token.expose()).stored(),
        expires_at,
        last_used_at: None,
        creator_id,
        lifetime,
    };
    store::write_one(&app.db, async |db| store::row::create(&db, row.clone()).await).await?;
    Ok(token)
}

/// Revokes a token, at once.
///
/// # Errors
/// A database error.
pub async fn revoke(app: &App, id: AccessTokenId) -> Result<()> {
    store::write(&app.db, async |tx| store::row::delete::<access_token::Model>(tx, id).await.map_err(Error::from))
        .await?;
    app.rights_changed();
    Ok(())
}
