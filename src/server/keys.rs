//! Reads the keys of the server, and checks that they are those that the database needs.
//!
//! The database records the fingerprints of its keys. The newest is the one that servers seal with, and every server must have it. An
//! older one may be removed once no value needs it.

use std::path::Path;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;

use crate::access::own_jwt;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::secret::{KeyRing, KeySource, fingerprint};
use crate::store;

/// Reads the keys. Creates a missing key file only if nothing in the database is sealed yet.
///
/// # Errors
/// When the keys cannot be read, or one that the database needs is missing.
pub(super) async fn open(config: &Config, db: &DatabaseConnection, now: DateTime<Utc>) -> Result<KeyRing> {
    let source = config.key_source();
    let created = missing_file(&source)?;
    if let Some(path) = created {
        let needed = needed(db).await?;
        if !needed.is_empty() {
            return Err(Error::internal(format!(
                "the key file {} is missing; the database needs {}. Restore the key file: no new one is created beside sealed values",
                path.display(),
                named(&needed)
            )));
        }
    }
    let keys = source.load().await?;
    match store::write(db, async |tx| adopt(tx, &keys, now).await).await? {
        None => Ok(keys),
        Some(missing) => {
            if let Some(path) = created {
                // Another server was the first; the file that was created a moment ago is not the one of the database.
                let _removed = std::fs::remove_file(path);
            }
            Err(Error::internal(format!(
                "the database needs {}, which {} does not have; use the keys that this database was started with",
                named(&missing),
                source.name()
            )))
        }
    }
}

/// The path of the key file, if that is the source and the file does not exist.
fn missing_file(source: &KeySource) -> Result<Option<&Path>> {
    let KeySource::File(path) = source else { return Ok(None) };
    let exists = path.try_exists().map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    Ok((!exists).then_some(path.as_path()))
}

/// Compares the keys with those of the database, and records the newest one. Returns the keys that are missing.
async fn adopt(tx: &sea_orm::DatabaseTransaction, keys: &KeyRing, now: DateTime<Utc>) -> Result<Option<Vec<String>>> {
    store::lock_installation(tx).await?;
    let recorded: Vec<String> = store::seal_key::list(tx).await?.into_iter().map(|key| key.id).collect();
    let held = keys.fingerprints();
    if let Some(newest) = recorded.first().filter(|id| !held.contains(id)) {
        return Ok(Some(vec![newest.clone()]));
    }
    let unknown: Vec<&String> = recorded.iter().filter(|id| !held.contains(id)).collect();
    if recorded.is_empty() || !unknown.is_empty() {
        let used: Vec<String> = store::seal_key::list_used(tx).await?.iter().map(|id| fingerprint(id)).collect();
        let missing: Vec<String> = used.into_iter().filter(|id| !held.contains(id)).collect();
        if !missing.is_empty() {
            return Ok(Some(missing));
        }
    }
    for id in unknown {
        store::seal_key::delete(tx, id).await?;
    }
    if let Some(newest) = held.first().filter(|id| !recorded.contains(id)) {
        store::seal_key::record(tx, newest.clone(), now).await?;
        own_jwt::rotate(tx, keys, now).await?;
    }
    Ok(None)
}

/// The fingerprints of the keys that the database needs.
async fn needed(db: &DatabaseConnection) -> Result<Vec<String>> {
    let recorded = store::seal_key::list(db).await?;
    if recorded.is_empty() {
        return Ok(store::seal_key::list_used(db).await?.iter().map(|id| fingerprint(id)).collect());
    }
    Ok(recorded.into_iter().map(|key| key.id).collect())
}

fn named(ids: &[String]) -> String {
    let word = if ids.len() == 1 { "the key with the fingerprint" } else { "the keys with the fingerprints" };
    format!("{word} {}", ids.join(", "))
}
