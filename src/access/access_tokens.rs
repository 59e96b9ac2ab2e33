//! Access to the personal and team access tokens behind an organization.
//!
//! These tokens belong to people and groups, not to organizations. The administrators of an organization reach those of its members, and
//! those that its members created for teams. The administrators of the first organization, who run the server, reach all of them: team
//! names are free, so that a team of one's own must not open the tokens of a group.

use entity::access_token;
use entity::id::{AccessTokenId, OrganizationId};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;
use crate::store::team::TokensOf;

/// The access tokens within reach of the administrators of an organization.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn access_tokens(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
) -> Result<Vec<access_token::Model>> {
    super::organization(db, caller, action, organization).await?;
    Ok(store::team::list_tokens(db, within(db, organization).await?, None).await?)
}

/// One of them.
///
/// # Errors
/// `NotFound`, also for a token that is out of reach; `Forbidden`; or a database error.
pub async fn access_token(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    organization: OrganizationId,
    id: AccessTokenId,
) -> Result<access_token::Model> {
    const THING: &str = "access token";
    caller.require(organization, action.visibility(), &Location::default(), THING)?;
    let rows = store::team::list_tokens(db, within(db, organization).await?, Some(id)).await?;
    let row = rows.into_iter().next().ok_or(Error::NotFound(THING))?;
    caller.require(organization, action, &Location::default(), THING)?;
    Ok(row)
}

async fn within(db: &DatabaseConnection, organization: OrganizationId) -> Result<TokensOf> {
    let is_first = store::organization::first(db).await? == Some(organization);
    Ok(if is_first { TokensOf::Anybody } else { TokensOf::Members(organization) })
}
