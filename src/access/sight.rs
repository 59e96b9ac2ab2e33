//! The environments of an organization that a caller sees, for queries across its jobs.

use entity::id::OrganizationId;
use sea_orm::ConnectionTrait;

use super::caller::Caller;
use super::location::location;
use super::role::{Grant, Location};
use super::role_action::Action;
use crate::error::Result;
use crate::store;
use crate::store::overview::Sight;

/// What the caller sees; nothing, if their role does not let them see jobs.
///
/// # Errors
/// A database error.
pub async fn sight(db: &impl ConnectionTrait, caller: &Caller, organization: OrganizationId) -> Result<Sight> {
    match caller.grant(organization) {
        Some(Grant::Custom(_)) => {
            let rows = store::environment::list_by_organization(db, organization).await?;
            let seen = rows.into_iter().filter(|row| caller.may(organization, Action::View, &location(row)));
            Ok(Sight::Environments(seen.map(|row| row.id).collect()))
        }
        Some(Grant::Fixed(_)) if caller.may(organization, Action::View, &Location::default()) => {
            Ok(Sight::Organization(organization))
        }
        _ => Ok(Sight::Environments(Vec::new())),
    }
}
