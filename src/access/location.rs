//! The location of an environment or job, for custom roles.

use entity::environment;
use entity::id::{EnvironmentId, OrganizationId};
use sea_orm::ConnectionTrait;

use super::caller::Caller;

use super::role::{Grant, Location};
use crate::error::Result;
use crate::store;

/// The location of an environment.
#[must_use]
pub fn location(row: &environment::Model) -> Location {
    Location { cluster: Some(row.cluster_id), project: Some(row.project_id), mode: Some(row.mode) }
}

/// The location of a job; it is loaded for custom roles only.
pub(super) async fn location_of(
    db: &impl ConnectionTrait,
    caller: &Caller,
    organization: OrganizationId,
    environment: EnvironmentId,
) -> Result<Location> {
    if !matches!(caller.grant(organization), Some(Grant::Custom(_))) {
        return Ok(Location::default());
    }
    Ok(store::environment::by_id(db, environment).await?.as_ref().map(location).unwrap_or_default())
}
