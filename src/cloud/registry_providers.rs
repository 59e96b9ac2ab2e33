//! The provider registry protocol (<https://developer.hashicorp.com/terraform/internals/provider-registry-protocol>): versions of providers
//! of an organization, and where the files of a platform are.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::id::{ProviderPlatformId, ProviderVersionId};
use entity::{provider_platform, provider_version, terraform_provider};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Problem, Result, answered, guarded};
use super::registry_modules::plain;
use super::registry_visit::RegistryVisit;
use super::sealed_address;
use crate::app::App;
use crate::engine::private_registry::{contents, provider_versions};
use crate::error::Error;
use crate::store;

/// The kinds of addresses: of archives, of lists of checksums, and of their signatures.
pub(super) const ARCHIVE: &str = "provider";
const CHECKSUMS: &str = "checksums";
const SIGNATURE: &str = "signature";
/// The most versions of a list.
const MOST: u64 = 1000;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/v1/providers/:namespace/:name/versions", guarded(get(versions)))
        .at("/v1/providers/:namespace/:name/:version/download/:os/:arch", guarded(get(download)))
        .at("/api/v2/sealed/provider/:secret", guarded(get(archive)))
        .at("/api/v2/sealed/checksums/:secret", guarded(get(checksums)))
        .at("/api/v2/sealed/signature/:secret", guarded(get(signature)))
}

/// What the address of an archive is about.
#[derive(Serialize, Deserialize)]
pub(super) struct PlatformAddress {
    pub(super) platform: ProviderPlatformId,
}

/// What the address of a list of checksums or of a signature is about.
#[derive(Serialize, Deserialize)]
struct VersionAddress {
    version: ProviderVersionId,
}

/// A version with its platforms.
pub(super) type Release = (provider_version::Model, Vec<provider_platform::Model>);

/// The versions of a provider that have a platform, the newest first.
pub(super) async fn releases(app: &App, of: &terraform_provider::Model) -> Result<Vec<Release>> {
    let rows = provider_versions(store::private_registry::versions_of_provider(&app.db, of.id, MOST).await?);
    let ids = rows.iter().map(|row| row.id).collect();
    let platforms = store::private_registry::list_platforms_of(&app.db, ids).await?;
    let with = rows.into_iter().map(|row| {
        let own = platforms.iter().filter(|platform| platform.provider_version_id == row.id).cloned().collect();
        (row, own)
    });
    Ok(with.filter(|(_, own): &Release| !own.is_empty()).collect())
}

/// A provider of an organization that the reader sees.
async fn provider(visit: &RegistryVisit, namespace: &str, name: &str) -> Result<terraform_provider::Model> {
    let organization = visit.organization(namespace).await?;
    let row = store::private_registry::provider_by_name(&visit.app.db, organization.id, ("", "", name)).await?;
    row.ok_or_else(|| Problem::missing("provider"))
}

/// Programs refuse a version without checksums and a signature, so it is not offered before they are there.
fn is_whole(row: &provider_version::Model) -> bool {
    row.checksums.is_some() && row.signature.is_some()
}

fn protocols(row: &provider_version::Model) -> Vec<&str> {
    row.protocols.split(',').collect()
}

#[handler]
async fn versions(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String)>) -> Response {
    let answer = async {
        let visit = RegistryVisit::of(app.0, request).await?;
        let row = provider(&visit, &path.0.0, &path.0.1).await?;
        let releases = releases(app.0, &row).await?;
        let shown = releases.iter().filter(|(version, _)| is_whole(version)).map(|(version, platforms)| {
            let platforms: Vec<Value> =
                platforms.iter().map(|platform| json!({"os": platform.os, "arch": platform.arch})).collect();
            json!({"version": version.version, "protocols": protocols(version), "platforms": platforms})
        });
        Ok(plain(&json!({"versions": shown.collect::<Vec<_>>()})))
    };
    answered(answer.await)
}

type PlatformPath = (String, String, String, String, String);

#[handler]
async fn download(app: Data<&Arc<App>>, request: &Request, path: Path<PlatformPath>) -> Response {
    let answer = async {
        let (namespace, name, version, os, arch) = &path.0;
        let visit = RegistryVisit::of(app.0, request).await?;
        let row = provider(&visit, namespace, name).await?;
        let version = store::private_registry::provider_version(&app.db, row.id, version).await?;
        let version = version.filter(is_whole).ok_or_else(|| Problem::missing("version"))?;
        let platforms = store::private_registry::list_platforms(&app.db, version.id).await?;
        let platform = platforms.into_iter().find(|platform| platform.os == *os && platform.arch == *arch);
        let platform = platform.ok_or_else(|| Problem::missing("platform"))?;
        let keys = store::private_registry::list_keys(&app.db, row.organization_id).await?;
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| {
                json!({
                    "key_id": key.key_id,
                    "ascii_armor": key.ascii_armor,
                    "trust_signature": "",
                    "source": namespace,
                    "source_url": null,
                })
            })
            .collect();
        let about = || VersionAddress { version: version.id };
        Ok(plain(&json!({
            "protocols": protocols(&version),
            "os": platform.os,
            "arch": platform.arch,
            "filename": platform.filename,
            "download_url": visit.address(ARCHIVE, PlatformAddress { platform: platform.id })?,
            "shasums_url": visit.address(CHECKSUMS, about())?,
            "shasums_signature_url": visit.address(SIGNATURE, about())?,
            "shasum": platform.shasum,
            "signing_keys": {"gpg_public_keys": keys},
        })))
    };
    answered(answer.await)
}

#[handler]
async fn archive(app: Data<&Arc<App>>, secret: Path<String>) -> Response {
    let answer = async {
        let about: PlatformAddress = sealed_address::open(app.0, ARCHIVE, &secret.0, app.clock.now())?;
        let file = store::private_registry::file_of_platform(&app.db, about.platform).await?;
        let file = file.ok_or_else(|| Problem::missing("file"))?;
        let response =
            Response::builder().content_type("application/zip").header("content-length", file.bytes.to_string());
        Ok(response.body(Body::from_bytes_stream(contents(Arc::clone(app.0), file))))
    };
    answered(answer.await)
}

/// The version that an address is about.
async fn addressed(app: &App, kind: &str, secret: &str) -> Result<provider_version::Model> {
    let about: VersionAddress = sealed_address::open(app, kind, secret, app.clock.now())?;
    let row = store::row::by_id::<provider_version::Model>(&app.db, about.version).await?;
    row.ok_or_else(|| Problem::missing("version"))
}

#[handler]
async fn checksums(app: Data<&Arc<App>>, secret: Path<String>) -> Response {
    let answer = async {
        let row = addressed(app.0, CHECKSUMS, &secret.0).await?;
        let text = row.checksums.ok_or_else(|| Problem::missing("file"))?;
        Ok(Response::builder().content_type("text/plain; charset=utf-8").body(text))
    };
    answered(answer.await)
}

#[handler]
async fn signature(app: Data<&Arc<App>>, secret: Path<String>) -> Response {
    let answer = async {
        let row = addressed(app.0, SIGNATURE, &secret.0).await?;
        let text = row.signature.ok_or_else(|| Problem::missing("file"))?;
        let bytes = STANDARD.decode(text).map_err(Error::internal)?;
        Ok(Response::builder().content_type("application/octet-stream").body(bytes))
    };
    answered(answer.await)
}
