//! The public keys with which an organization signs its providers.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, ProviderKeyId};
use entity::provider_key;
use sea_orm::ConnectionTrait;

use super::armored_key;
use crate::error::{Error, Result};
use crate::store;

/// The most keys of an organization.
const MOST: usize = 20;

/// Stores a public key. The same key twice is one.
///
/// # Errors
/// `Invalid` if it is no public key; `Conflict` if there are too many; database errors.
pub async fn add_key(
    tx: &impl ConnectionTrait,
    organization: OrganizationId,
    (armor, by): (&str, &str),
    now: DateTime<Utc>,
) -> Result<provider_key::Model> {
    let key_id = armored_key::key_id(armor).map_err(|reason| Error::invalid("ascii-armor", reason))?;
    if let Some(known) = store::private_registry::provider_key(tx, organization, &key_id).await? {
        let edit = |stored| Ok(provider_key::Model { ascii_armor: armor.to_owned(), ..stored });
        let changed = store::row::change(tx, known.id, edit, Error::from).await?;
        return changed.map(|(_, key)| key).ok_or(Error::NotFound("signing key"));
    }
    if store::private_registry::list_keys(tx, organization).await?.len() >= MOST {
        return Err(Error::Conflict(format!("an organization has at most {MOST} signing keys; delete one first")));
    }
    let row = provider_key::Model {
        id: ProviderKeyId::create(),
        organization_id: organization,
        created_at: now,
        created_by: by.to_owned(),
        key_id,
        ascii_armor: armor.to_owned(),
    };
    Ok(store::row::create(tx, row).await?)
}

/// Deletes a public key, by its key id.
///
/// # Errors
/// `NotFound`; database errors.
pub async fn remove_key(tx: &impl ConnectionTrait, organization: OrganizationId, key_id: &str) -> Result<()> {
    let known = store::private_registry::provider_key(tx, organization, key_id).await?;
    let known = known.ok_or(Error::NotFound("signing key"))?;
    store::row::delete::<provider_key::Model>(tx, known.id).await?;
    Ok(())
}
