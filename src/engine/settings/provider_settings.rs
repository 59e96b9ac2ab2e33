//! Signing keys and providers of the private registry, as somebody wants them. Files of providers are uploaded, see
//! `engine/private_registry`; what is deleted here releases them.

use entity::id::OrganizationId;
use sea_orm::{EntityTrait, ModelTrait};

use crate::app::App;
use crate::engine::private_registry::add_key;
use crate::error::{Error, Result};
use crate::store;
use crate::store::row::Key;

/// Stores a public key with which the organization signs its providers.
///
/// # Errors
/// `Invalid` if it is no public key; `Conflict` if there are too many; database errors.
pub async fn add_signing_key(app: &App, by: &str, organization: OrganizationId, armor: &str) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| add_key(tx, organization, (armor, by), now).await.map(drop)).await
}

/// Deletes a signing key, a provider with its versions, a version with its platforms, or a platform.
///
/// # Errors
/// Database errors.
pub async fn delete<M>(app: &App, id: impl Into<Key<M>> + Copy + Send + Sync) -> Result<()>
where
    M: ModelTrait,
    M::Entity: EntityTrait<Model = M>,
{
    store::write(&app.db, async |tx| store::row::delete::<M>(tx, id).await.map(drop).map_err(Error::from)).await
}
