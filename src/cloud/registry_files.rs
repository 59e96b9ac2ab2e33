//! Uploads to the private registry: the files of a provider of an organization, and copies of providers of other registries.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, handler, put};
use serde::Deserialize;
use serde_json::json;

use super::error::{Problem, Result, answered, guarded};
use super::registry_visit::RegistryVisit;
use crate::app::App;
use crate::engine::private_registry::{
    Address, ArchiveName, MOST_CHECKSUMS, MOST_SIGNATURE, receive_archive, store_checksums, store_signature,
};
use crate::error::Error;
use crate::input::stored_text;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/v1/providers/:namespace/:name/:version/files/:filename", guarded(put(own)))
        .at("/v1/mirror/:organization/:hostname/:namespace/:name/:version/files/:filename", guarded(put(copy)))
}

#[derive(Deserialize)]
struct UploadQuery {
    protocols: Option<String>,
}

type OwnPath = (String, String, String, String);
type CopyPath = (String, String, String, String, String, String);

#[handler]
async fn own(app: Data<&Arc<App>>, request: &Request, path: Path<OwnPath>, body: Body) -> Response {
    let (organization, name, version, filename) = &path.0;
    let of = Upload { organization, hostname: "", namespace: "", name, version, filename };
    answered(uploaded(app.0, request, &of, body).await)
}

#[handler]
async fn copy(app: Data<&Arc<App>>, request: &Request, path: Path<CopyPath>, body: Body) -> Response {
    let (organization, hostname, namespace, name, version, filename) = &path.0;
    let of = Upload { organization, hostname, namespace, name, version, filename };
    answered(uploaded(app.0, request, &of, body).await)
}

/// Which file is uploaded.
struct Upload<'a> {
    organization: &'a str,
    hostname: &'a str,
    namespace: &'a str,
    name: &'a str,
    version: &'a str,
    filename: &'a str,
}

async fn uploaded(app: &Arc<App>, request: &Request, of: &Upload<'_>, body: Body) -> Result<Response> {
    let visit = RegistryVisit::of(app, request).await?;
    let (organization, by) = visit.changeable(of.organization, |rights| rights.providers).await?;
    let (hostname, namespace) = (of.hostname, of.namespace);
    let address = Address { organization: organization.id, hostname, namespace, name: of.name };
    let stem = format!("terraform-provider-{}_{}_SHA256SUMS", of.name, of.version);
    let created = if of.filename == stem {
        let protocols =
            request.params::<UploadQuery>().map_err(|_| Problem::bad("protocols: must be given once"))?.protocols;
        let bytes = small(body, MOST_CHECKSUMS).await?;
        let text = String::from_utf8(bytes).map_err(|_| Problem::invalid("body: must be text in UTF-8"))?;
        stored_text::check("body", &text)?;
        let provider = address.provider(app, &by).await?;
        let given = (text.as_str(), protocols.as_deref());
        store::write(&app.db, async |tx| store_checksums(tx, &provider, of.version, given, visit.now).await).await?;
        json!({"filename": of.filename})
    } else if of.filename.strip_suffix(".sig") == Some(&stem) {
        let bytes = small(body, MOST_SIGNATURE).await?;
        let provider = address.provider(app, &by).await?;
        store::write(&app.db, async |tx| store_signature(tx, &provider, of.version, &bytes).await).await?;
        json!({"filename": of.filename})
    } else {
        let name = ArchiveName::parse(of.name, of.filename).ok().filter(|name| name.version == of.version);
        let name = name.ok_or_else(|| {
            let text = format!(
                "filename: must be {stem}, {stem}.sig or terraform-provider-{}_{}_OS_ARCH.zip",
                of.name, of.version
            );
            Problem::invalid(text)
        })?;
        let provider = address.provider(app, &by).await?;
        let row = receive_archive(app, &provider, &name, body.into_bytes_stream()).await?;
        json!({"filename": row.filename, "shasum": row.shasum, "hashes": [format!("zh:{}", row.shasum), row.content_hash]})
    };
    let response = Response::builder().status(StatusCode::CREATED).content_type("application/json");
    Ok(response.body(created.to_string()))
}

/// The bytes of a small file.
async fn small(body: Body, most: usize) -> Result<Vec<u8>> {
    match body.into_bytes_limit(most).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(Error::TooLarge { limit_bytes: most }.into()),
        Err(_) => Err(Problem::bad("the file was not received completely")),
    }
}
