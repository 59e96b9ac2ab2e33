//! API tokens of an organization, as its administrators create and revoke them.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, TokenId};
use entity::{access_token, api_token, custom_role};
use serde::Serialize;

use super::assigned_role::StoredRole;
use super::audit::{self, Change};
use super::limits;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// A token that is asked for.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub description: Option<String>,
    pub role: StoredRole,
    /// None for the end that the settings of the server give it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates a token. `shown` is the token as the API shows it, for its event.
///
/// # Errors
/// `Invalid`, which names the field; or a database error.
pub async fn create<S: Serialize>(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    asked: NewToken,
    shown: impl Fn(api_token::Model, &[custom_role::Model]) -> S + Clone,
) -> Result<(S, Secret<String>)> {
    let NewToken { name, description, role: (role, custom_role_id), expires_at } = asked;
    let token = secret::new_token()?;
    let now = app.clock.now();
    let expires_at = match expires_at {
        Some(at) if at <= now => return Err(Error::invalid("expires_at", "must be in the future")),
        Some(at) => Some(at),
        None => app.config.token_end(now),
    };
    let row = api_token::Model {
        id: TokenId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        name: limits::name("name", &name)?,
        description: description.map(|text| limits::text("description", text)).transpose()?,
        role,
        custom_role_id,
        hash: secret::TokenHash::of(token.expose()).stored(),
        expires_at,
        last_used_at: None,
        person_id: None,
    };
    let (id, name) = (row.id, row.name.clone());
    let stored = audit::write(app, by, organization, async |tx| {
        let custom = store::custom_role::list(tx, organization).await?;
        let stored = shown(store::token::create(tx, row).await?, &custom);
        let change = Change::create("ORGANIZATION", id.0, &name).part("API_TOKEN").after(&stored);
        Ok((stored, change))
    })
    .await?;
    Ok((stored, token))
}

/// Revokes an API token, at once.
///
/// # Errors
/// A database error.
pub async fn revoke(app: &App, by: &Requester, row: &api_token::Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::token::delete(tx, row.id).await?;
        Ok(((), Change::delete("ORGANIZATION", row.id.0, &row.name).part("API_TOKEN")))
    })
    .await?;
    app.rights_changed();
    Ok(())
}

/// Revokes a personal or team access token on behalf of an organization, at once.
///
/// # Errors
/// A database error.
pub async fn revoke_access_token(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    row: &access_token::Model,
) -> Result<()> {
    audit::write(app, by, organization, async |tx| {
        store::row::delete::<access_token::Model>(tx, row.id).await?;
        Ok(((), Change::delete("ORGANIZATION", row.id.0, &row.name).part("API_TOKEN")))
    })
    .await?;
    app.rights_changed();
    Ok(())
}
