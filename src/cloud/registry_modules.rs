//! The module registry protocol (<https://developer.hashicorp.com/terraform/internals/module-registry-protocol>): versions of modules, and
//! where their archives are.

use std::sync::Arc;
use std::time::Duration;

use entity::id::ModuleVersionId;
use entity::{module_version, terraform_module};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Problem, Result, answered, guarded};
use super::registry_visit::RegistryVisit;
use super::sealed_address;
use crate::app::App;
use crate::engine::private_registry::{archive_of, contents, module_versions, refresh};
use crate::store;

/// The kind of the addresses of archives.
const KIND: &str = "module";
/// How long a request for the place of an archive waits until it is made: programs give up after 10 s, and the archive itself is waited for.
const PATIENCE: Duration = Duration::from_secs(7);
/// The most versions of a list.
const MOST: u64 = 1000;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/v1/modules/:namespace/:name/:system/versions", guarded(get(list_versions)))
        .at("/v1/modules/:namespace/:name/:system/refresh", guarded(post(refresh_now)))
        .at("/v1/modules/:namespace/:name/:system/:version/download", guarded(get(download)))
        .at("/api/v2/sealed/module/:secret", guarded(get(archive)))
        .at("/v1/*path", guarded(unknown))
}

/// Everything below the base that is no operation.
#[handler]
fn unknown() -> Response {
    Problem::missing("operation").response()
}

/// What the address of an archive is about.
#[derive(Serialize, Deserialize)]
struct ArchiveAddress {
    version: ModuleVersionId,
    commit: String,
}

/// A JSON document that is not of JSON:API.
pub(super) fn plain(document: &Value) -> Response {
    Response::builder().content_type("application/json").body(document.to_string())
}

/// A module of an organization that the reader sees.
async fn module(
    visit: &RegistryVisit,
    (namespace, name, system): (&str, &str, &str),
) -> Result<terraform_module::Model> {
    let organization = visit.organization(namespace).await?;
    let row = store::private_registry::module_by_name(&visit.app.db, organization.id, (name, system)).await?;
    row.ok_or_else(|| Problem::missing("module"))
}

async fn listed(app: &App, row: &terraform_module::Model, namespace: &str) -> Result<Response> {
    let rows = module_versions(store::private_registry::versions_of_module(&app.db, row.id, MOST).await?);
    let versions: Vec<Value> = rows.iter().map(|row| json!({"version": row.version})).collect();
    let source = format!("{namespace}/{}/{}", row.name, row.provider);
    Ok(plain(&json!({"modules": [{"source": source, "versions": versions}]})))
}

#[handler]
async fn list_versions(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String, String)>) -> Response {
    let answer = async {
        let (namespace, name, system) = &path.0;
        let visit = RegistryVisit::of(app.0, request).await?;
        let row = module(&visit, (namespace, name, system)).await?;
        listed(app.0, &row, namespace).await
    };
    answered(answer.await)
}

#[handler]
async fn refresh_now(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String, String)>) -> Response {
    let answer = async {
        let (namespace, name, system) = &path.0;
        let visit = RegistryVisit::of(app.0, request).await?;
        visit.changeable(namespace, |rights| rights.modules).await?;
        let row = module(&visit, (namespace, name, system)).await?;
        refresh(app.0, row.id).await?.map_err(unreadable)?;
        listed(app.0, &row, namespace).await
    };
    answered(answer.await)
}

/// The server reached no repository from which it could make an answer.
fn unreadable(reason: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "repository not readable", reason)
}

#[handler]
async fn download(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String, String, String)>) -> Response {
    let answer = async {
        let (namespace, name, system, version) = &path.0;
        let visit = RegistryVisit::of(app.0, request).await?;
        let row = module(&visit, (namespace, name, system)).await?;
        let version = store::private_registry::module_version(&app.db, row.id, version).await?;
        let version = version.ok_or_else(|| Problem::missing("version"))?;
        let folder = row.folder.as_deref().unwrap_or_default().trim_matches('/');
        // If it takes longer, it is made when the archive itself is asked for.
        if let Ok(made) = tokio::time::timeout(PATIENCE, archive_of(app.0, &row, &version)).await {
            made?.map_err(unreadable)?;
        }
        let address = visit.address(KIND, ArchiveAddress { version: version.id, commit: version.commit_id })?;
        let within = if folder.is_empty() { String::new() } else { format!("//{folder}") };
        let get = format!("{address}{within}?archive=tar.gz");
        Ok(Response::builder().status(StatusCode::NO_CONTENT).header("X-Terraform-Get", get).finish())
    };
    answered(answer.await)
}

#[handler]
async fn archive(app: Data<&Arc<App>>, secret: Path<String>) -> Response {
    let answer = async {
        let about: ArchiveAddress = sealed_address::open(app.0, KIND, &secret.0, app.clock.now())?;
        let missing = || Problem::missing("version");
        let version = store::row::by_id::<module_version::Model>(&app.db, about.version).await?;
        let version = version.filter(|row| row.commit_id == about.commit).ok_or_else(missing)?;
        let row = store::row::by_id::<terraform_module::Model>(&app.db, version.module_id).await?;
        let file = archive_of(app.0, &row.ok_or_else(missing)?, &version).await?.map_err(unreadable)?;
        let response =
            Response::builder().content_type("application/gzip").header("content-length", file.bytes.to_string());
        Ok(response.body(Body::from_bytes_stream(contents(Arc::clone(app.0), file))))
    };
    answered(answer.await)
}
