//! The checksums of a version of a provider, and their signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::id::ProviderVersionId;
use entity::{provider_version, terraform_provider};
use sea_orm::ConnectionTrait;

use super::checksum_list::{parse, sum_of};
use super::release_version::ReleaseVersion;
use crate::error::{Error, Result};
use crate::store;

/// The largest list of checksums, and the largest signature, in bytes.
pub const MOST_CHECKSUMS: usize = 64 * 1024;
pub const MOST_SIGNATURE: usize = 16 * 1024;
/// The most versions of a provider.
const MOST_VERSIONS: u64 = 1000;

/// The protocol that providers speak unless something else is said.
const PROTOCOL: &str = "5.0";
/// The most versions of the protocol that are given.
const MOST_PROTOCOLS: usize = 8;

/// The version of a provider, which is created if there is none yet.
pub(super) async fn version_of(
    tx: &impl ConnectionTrait,
    of: &terraform_provider::Model,
    version: &str,
    now: DateTime<Utc>,
) -> Result<provider_version::Model> {
    if let Some(row) = store::private_registry::provider_version(tx, of.id, version).await? {
        return Ok(row);
    }
    if ReleaseVersion::parse(version).is_none() {
        return Err(Error::invalid("version", "must be a semantic version without a v before it, such as 1.2.3"));
    }
    let known = store::private_registry::versions_of_provider(tx, of.id, MOST_VERSIONS).await?;
    if known.len() as u64 >= MOST_VERSIONS {
        return Err(Error::Conflict(format!("a provider has at most {MOST_VERSIONS} versions; delete some first")));
    }
    let row = provider_version::Model {
        id: ProviderVersionId::create(),
        organization_id: of.organization_id,
        provider_id: of.id,
        created_at: now,
        version: version.to_owned(),
        protocols: PROTOCOL.to_owned(),
        checksums: None,
        signature: None,
    };
    Ok(store::row::create(tx, row).await?)
}

/// Versions of the plugin protocol, separated by commas, such as `5.0,6.0`.
fn checked_protocols(text: &str) -> Result<String> {
    let list: Vec<&str> = text.split(',').map(str::trim).collect();
    let number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = |text: &&str| text.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor));
    if list.len() > MOST_PROTOCOLS || !list.iter().all(is_version) {
        return Err(Error::invalid(
            "protocols",
            "must be versions of the plugin protocol, separated by commas, such as 5.0,6.0",
        ));
    }
    Ok(list.join(","))
}

/// Stores the list of checksums of a version, and which versions of the plugin protocol it speaks if that is given.
///
/// # Errors
/// `Invalid` if it is no such list; `Conflict` if an archive that was uploaded has another checksum; database errors.
pub async fn store_checksums(
    tx: &impl ConnectionTrait,
    of: &terraform_provider::Model,
    version: &str,
    (text, protocols): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> Result<provider_version::Model> {
    parse(text).map_err(|reason| Error::invalid("body", reason))?;
    store::private_registry::lock_provider(tx, of.id).await?;
    let row = version_of(tx, of, version, now).await?;
    let protocols = protocols.map(checked_protocols).transpose()?.unwrap_or_else(|| row.protocols.clone());
    for platform in store::private_registry::list_platforms(tx, row.id).await? {
        if sum_of(text, &platform.filename) != Some(platform.shasum.as_str()) {
            return Err(Error::Conflict(format!(
                "{} was uploaded with another checksum; delete the version before you upload it again",
                platform.filename
            )));
        }
    }
    let is_same = row.checksums.as_deref() == Some(text);
    let signature = row.signature.clone().filter(|_| is_same);
    let row = provider_version::Model { checksums: Some(text.to_owned()), signature, protocols, ..row };
    Ok(store::row::update(tx, row).await?)
}

/// Stores the signature of the checksums of a version.
///
/// # Errors
/// `Invalid` if it is none; `Conflict` if the checksums are missing; database errors.
pub async fn store_signature(
    tx: &impl ConnectionTrait,
    of: &terraform_provider::Model,
    version: &str,
    signature: &[u8],
) -> Result<provider_version::Model> {
    let is_packet = signature.first().is_some_and(|byte| byte & 0x80 != 0);
    if !is_packet {
        let text = "must be a binary OpenPGP signature, as gpg --detach-sign writes it without --armor";
        return Err(Error::invalid("body", text));
    }
    store::private_registry::lock_provider(tx, of.id).await?;
    let row = store::private_registry::provider_version(tx, of.id, version).await?;
    let row = row.filter(|row| row.checksums.is_some());
    let row = row.ok_or_else(|| Error::Conflict("upload the file SHA256SUMS of this version first".into()))?;
    Ok(store::row::update(tx, provider_version::Model { signature: Some(STANDARD.encode(signature)), ..row }).await?)
}

/// Whether a list of checksums is known, and what it says about a file.
pub(super) fn expected_sum<'a>(row: &'a provider_version::Model, filename: &str) -> Option<Option<&'a str>> {
    row.checksums.as_deref().map(|text| sum_of(text, filename))
}
