//! Creates API tokens.

use chrono::{DateTime, Utc};
use entity::api_token;
use entity::id::{OrganizationId, TokenId};
use entity::member::Role;

use crate::error::Result;
use crate::secret::{self, Secret};

/// A new token, with the row to store. It does not expire unless the caller says so.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_api_token(
    organization_id: OrganizationId,
    name: &str,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(api_token::Model, Secret<String>)> {
    let token = secret::new_token()?;
    let row = api_token::Model {
        id: TokenId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: name.to_owned(),
        description: None,
        role,
        custom_role_id: None,
        hash: secret::TokenHash::of(token.expose()).stored(),
        expires_at: None,
        last_used_at: None,
        person_id: None,
    };
    Ok((row, token))
}
