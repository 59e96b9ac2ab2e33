//! Signing keys and providers of the private registry, as somebody wants them. Files of providers are uploaded, see
//! `engine/private_registry`; what is deleted here releases them.

use entity::id::OrganizationId;
use entity::{provider_key, provider_platform, provider_version, terraform_provider};

use crate::app::App;
use crate::engine::private_registry::add_key;
use crate::error::{Error, Result};
use crate::store;

/// Stores a public key with which the organization signs its providers.
///
/// # Errors
/// `Invalid` if it is no public key; `Conflict` if there are too many; database errors.
pub async fn add_signing_key(app: &App, by: &str, organization: OrganizationId, armor: &str) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| add_key(tx, organization, (armor, by), now).await.map(drop)).await
}

/// Deletes a signing key.
///
/// # Errors
/// Database errors.
pub async fn delete_signing_key(app: &App, row: provider_key::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        store::row::delete::<provider_key::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}

/// Deletes a provider with its versions.
///
/// # Errors
/// Database errors.
pub async fn delete_provider(app: &App, row: terraform_provider::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        store::row::delete::<terraform_provider::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}

/// Deletes a version of a provider with its platforms.
///
/// # Errors
/// Database errors.
pub async fn delete_version(app: &App, row: provider_version::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        store::row::delete::<provider_version::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}

/// Deletes a platform of a version.
///
/// # Errors
/// Database errors.
pub async fn delete_platform(app: &App, row: provider_platform::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        store::row::delete::<provider_platform::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}
