//! The provider network mirror protocol (<https://developer.hashicorp.com/terraform/internals/provider-network-mirror-protocol>): copies of
//! providers of any registry, for places that do not reach it.

use std::sync::Arc;

use entity::terraform_provider;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler};
use serde_json::{Map, Value, json};

use super::error::{Problem, Result, answered, guarded};
use super::registry_modules::plain;
use super::registry_providers::{ARCHIVE, PlatformAddress, releases};
use super::registry_visit::RegistryVisit;
use crate::app::App;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/v1/mirror/:organization", guarded(get(list)))
        .at("/v1/mirror/:organization/:hostname/:namespace/:name/:version", guarded(get(document)))
}

/// The document that lists the versions of a provider.
const INDEX: &str = "index.json";

type DocumentPath = (String, String, String, String, String);

#[handler]
async fn document(app: Data<&Arc<App>>, request: &Request, path: Path<DocumentPath>) -> Response {
    let answer = async {
        let (organization, hostname, namespace, name, document) = &path.0;
        let visit = RegistryVisit::of(app.0, request).await?;
        let organization = visit.organization(organization).await?;
        let names = (hostname.as_str(), namespace.as_str(), name.as_str());
        let row = store::private_registry::provider_by_name(&app.db, organization.id, names).await?;
        let row = row.ok_or_else(|| Problem::missing("provider"))?;
        let releases = releases(app.0, &row).await?;
        if document == INDEX {
            let versions: Map<String, Value> =
                releases.iter().map(|(version, _)| (version.version.clone(), json!({}))).collect();
            return Ok(plain(&json!({"versions": versions})));
        }
        let wanted = document.strip_suffix(".json").ok_or_else(|| Problem::missing("document"))?;
        let release = releases.into_iter().find(|(version, _)| version.version == wanted);
        let (_, platforms) = release.ok_or_else(|| Problem::missing("version"))?;
        let mut archives = Map::new();
        for platform in platforms {
            let url = visit.address(ARCHIVE, PlatformAddress { platform: platform.id })?;
            let hashes = json!([format!("zh:{}", platform.shasum), platform.content_hash]);
            archives.insert(format!("{}_{}", platform.os, platform.arch), json!({"url": url, "hashes": hashes}));
        }
        Ok(plain(&json!({"archives": archives})))
    };
    answered(answer.await)
}

/// All providers of an organization: its own and the copies, with their versions and platforms.
#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, organization: Path<String>) -> Response {
    let answer = async {
        let visit = RegistryVisit::of(app.0, request).await?;
        let organization = visit.organization(&organization.0).await?;
        let mut shown = Vec::new();
        for row in store::private_registry::list_providers(&app.db, organization.id).await? {
            shown.push(described(app.0, &row).await?);
        }
        Ok(plain(&json!({"providers": shown})))
    };
    answered(answer.await)
}

async fn described(app: &App, row: &terraform_provider::Model) -> Result<Value> {
    let versions: Vec<Value> = releases(app, row)
        .await?
        .iter()
        .map(|(version, platforms)| {
            let platforms: Vec<String> =
                platforms.iter().map(|platform| format!("{}_{}", platform.os, platform.arch)).collect();
            json!({"version": version.version, "platforms": platforms, "signed": version.signature.is_some()})
        })
        .collect();
    Ok(json!({"hostname": row.hostname, "namespace": row.namespace, "name": row.name, "versions": versions}))
}
