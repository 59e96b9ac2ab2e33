//! Records the changes of API callers.

use entity::id::OrganizationId;
use sea_orm::DatabaseTransaction;

use super::caller::Auth;
use crate::app::App;
use crate::engine::audit;
use crate::error::Result;

pub(super) use crate::engine::audit::{Change, MEMBERS_AND_ROLES};

/// Runs `work` in a transaction and stores an event for the returned change.
pub(super) async fn write<T>(
    app: &App,
    auth: &Auth,
    organization: OrganizationId,
    work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<(T, Change)> + Clone,
) -> Result<T> {
    audit::write(app, &auth.requester(), organization, work).await
}
