//! Receives the archives of providers, checks them, and stores them.

use std::fs::File;
use std::io::{Error as IoError, Write as _};
use std::pin::pin;

use bytes::Bytes;
use entity::id::{OrganizationId, ProviderPlatformId, TerraformProviderId};
use entity::{provider_platform, provider_version, terraform_provider};
use futures_util::{Stream, StreamExt as _};
use sea_orm::ConnectionTrait;
use sha2::{Digest as _, Sha256};

use super::archive_name::ArchiveName;
use super::provider_files::{expected_sum, version_of};
use super::registry_file::{Owner, StoredFile, most_bytes, store_file, too_large};
use super::registry_names::{check_hostname, check_namespace, check_provider_name};
use super::zip_hash::{content_hash, hexadecimal};
use crate::app::App;
use crate::error::{Error, Result};
use crate::git::TempFolder;
use crate::store;

/// The most providers of an organization.
const MOST: usize = 450;

/// The address of a provider in an organization. The hostname and the namespace are empty for one of the organization itself.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    pub organization: OrganizationId,
    pub hostname: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
}

impl Address<'_> {
    fn check(&self) -> Result<()> {
        let faulty = |field: &str, reason: &str| Error::invalid(field, reason);
        if !(self.hostname.is_empty() && self.namespace.is_empty()) {
            check_hostname(self.hostname).map_err(|reason| faulty("hostname", reason))?;
            check_namespace(self.namespace).map_err(|reason| faulty("namespace", reason))?;
        }
        check_provider_name(self.name).map_err(|reason| faulty("type", reason))
    }

    /// The provider at this address, which is created if there is none yet.
    ///
    /// # Errors
    /// `Invalid` if no provider can have the address; `Conflict` if there are too many; database errors.
    pub async fn provider(&self, app: &App, by: &str) -> Result<terraform_provider::Model> {
        self.check()?;
        let names = (self.hostname, self.namespace, self.name);
        let now = app.clock.now();
        store::write(&app.db, async |tx| {
            if let Some(row) = store::private_registry::provider_by_name(tx, self.organization, names).await? {
                return Ok(row);
            }
            if store::private_registry::list_providers(tx, self.organization).await?.len() >= MOST {
                return Err(Error::Conflict(format!(
                    "an organization has at most {MOST} providers; delete some first"
                )));
            }
            let row = terraform_provider::Model {
                id: TerraformProviderId::create(),
                organization_id: self.organization,
                created_at: now,
                updated_at: now,
                created_by: by.to_owned(),
                updated_by: by.to_owned(),
                hostname: self.hostname.to_owned(),
                namespace: self.namespace.to_owned(),
                name: self.name.to_owned(),
                description: None,
            };
            Ok(store::row::create(tx, row).await?)
        })
        .await
    }
}

/// Stores the archive of a provider for one platform. An archive of the organization's own provider must be in the list of checksums, which
/// is uploaded before it; one of another registry is checked if there is a list. The same archive twice is stored once.
///
/// # Errors
/// `Invalid` if it is no archive, too large, or has another checksum; `Conflict` if another one was uploaded before, the list is missing, or
/// the organization has no room; database errors.
pub async fn receive_archive(
    app: &App,
    of: &terraform_provider::Model,
    name: &ArchiveName,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
) -> Result<provider_platform::Model> {
    let version = store::private_registry::provider_version(&app.db, of.id, &name.version).await?;
    let listed = version.as_ref().and_then(|row| expected_sum(row, &name.filename));
    match listed {
        None if of.hostname.is_empty() => {
            return Err(Error::Conflict("upload the file SHA256SUMS of this version first".into()));
        }
        Some(None) => return Err(Error::invalid("filename", "must be in the file SHA256SUMS of this version")),
        None | Some(Some(_)) => {}
    }
    let (file, shasum) = received(app, parts).await?;
    if let Some(Some(expected)) = listed.filter(|expected| *expected != Some(shasum.as_str())) {
        let text = format!("has the SHA-256 checksum {shasum}, and SHA256SUMS says {expected}");
        return Err(Error::invalid("body", text));
    }
    if let Some(known) = known_platform(&app.db, version.as_ref(), name).await? {
        return same(known, &shasum);
    }
    let copy = file.try_clone().map_err(Error::internal)?;
    let hash = tokio::task::spawn_blocking(move || content_hash(&copy)).await.map_err(Error::internal)?;
    let content_hash = hash.map_err(|reason| Error::invalid("body", reason))?;
    let stored = store_file(app, of.organization_id, file).await?;
    keep(app, of, name, (shasum, content_hash), &stored).await
}

/// Stores the platform with its file.
async fn keep(
    app: &App,
    of: &terraform_provider::Model,
    name: &ArchiveName,
    (shasum, content_hash): (String, String),
    file: &StoredFile,
) -> Result<provider_platform::Model> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        store::private_registry::lock_provider(tx, of.id).await?.ok_or(Error::NotFound("provider"))?;
        let version = version_of(tx, of, &name.version, now).await?;
        if let Some(known) = known_platform(tx, Some(&version), name).await? {
            return same(known, &shasum);
        }
        if expected_sum(&version, &name.filename).is_some_and(|expected| expected != Some(shasum.as_str())) {
            return Err(Error::Conflict("SHA256SUMS was replaced during the upload; upload the archive again".into()));
        }
        let row = provider_platform::Model {
            id: ProviderPlatformId::create(),
            organization_id: of.organization_id,
            provider_version_id: version.id,
            created_at: now,
            os: name.os.clone(),
            arch: name.arch.clone(),
            filename: name.filename.clone(),
            shasum: shasum.clone(),
            content_hash: content_hash.clone(),
        };
        let row = store::row::create(tx, row).await?;
        file.give(app, tx, Owner::Provider(row.id)).await?;
        Ok(row)
    })
    .await
}

/// The platform of this name that a version has.
async fn known_platform(
    db: &impl ConnectionTrait,
    version: Option<&provider_version::Model>,
    name: &ArchiveName,
) -> Result<Option<provider_platform::Model>> {
    let Some(version) = version else { return Ok(None) };
    let platforms = store::private_registry::list_platforms(db, version.id).await?;
    Ok(platforms.into_iter().find(|row| row.os == name.os && row.arch == name.arch))
}

/// Files of a version never change, because lock files have their checksums.
fn same(known: provider_platform::Model, shasum: &str) -> Result<provider_platform::Model> {
    if known.shasum == shasum {
        return Ok(known);
    }
    Err(Error::Conflict(format!(
        "{} was uploaded before with another content; publish a new version, or delete this one first",
        known.filename
    )))
}

/// Receives an archive into a file without a name. Returns it with its SHA-256 checksum.
async fn received(app: &App, parts: impl Stream<Item = Result<Bytes, IoError>>) -> Result<(File, String)> {
    let folder = TempFolder::new().map_err(Error::internal)?;
    let path = folder.path().join("provider");
    let mut file = File::options().read(true).write(true).create_new(true).open(path).map_err(Error::internal)?;
    drop(folder);
    let (mut sum, mut bytes, most) = (Sha256::new(), 0_u64, most_bytes(app));
    let mut parts = pin!(parts);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Error::invalid("body", "was not received completely"))?;
        bytes += part.len() as u64;
        if bytes > most {
            return Err(Error::invalid("body", too_large(app)));
        }
        sum.update(&part);
        let written = tokio::task::spawn_blocking(move || file.write_all(&part).map(|()| file));
        file = written.await.map_err(Error::internal)?.map_err(Error::internal)?;
    }
    Ok((file, hexadecimal(&sum.finalize())))
}
