//! The public keys with which an organization signs its providers.

use std::sync::Arc;

use entity::provider_key;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, delete, get, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Problem, Result, answered, guarded};
use super::json_api::{Given, document, one, resource, time};
use super::registry_visit::RegistryVisit;
use super::workspace_list::query_of;
use crate::app::App;
use crate::engine::private_registry::{add_key, remove_key};
use crate::input::stored_text;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/registry/private/v2/gpg-keys", guarded(get(list).post(create)))
        .at("/api/registry/private/v2/gpg-keys/:namespace/:key_id", guarded(delete(remove)))
}

/// The kind of these resources.
const KIND: &str = "gpg-keys";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct KeyRequest {
    namespace: String,
    ascii_armor: String,
}

fn shown(row: &provider_key::Model, namespace: &str) -> Value {
    json!({
        "id": row.id,
        "type": KIND,
        "attributes": {
            "key-id": row.key_id,
            "ascii-armor": row.ascii_armor,
            "namespace": namespace,
            "created-at": time(row.created_at),
        },
    })
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request) -> Response {
    let answer = async {
        let visit = RegistryVisit::of(app.0, request).await?;
        let query = query_of(request)?;
        let name = query
            .text("filter[namespace]")
            .ok_or_else(|| Problem::bad("filter[namespace]: must be the name of an organization"))?;
        let organization = visit.organization(name).await?;
        let keys = store::private_registry::list_keys(&app.db, organization.id).await?;
        let keys: Vec<Value> = keys.iter().map(|row| shown(row, name)).collect();
        Ok(document(StatusCode::OK, &json!({"data": keys})))
    };
    answered(answer.await)
}

#[handler]
async fn create(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(created(app.0, request, body).await)
}

async fn created(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    let visit = RegistryVisit::of(app, request).await?;
    let given: Given<KeyRequest> = one(request, body, KIND).await?;
    let KeyRequest { namespace, ascii_armor } = given.attributes;
    let (organization, by) = visit.changeable(&namespace, |rights| rights.providers).await?;
    stored_text::check("data.attributes.ascii-armor", &ascii_armor)?;
    let key = (ascii_armor.as_str(), by.as_str());
    let row = store::write(&app.db, async |tx| add_key(tx, organization.id, key, visit.now).await).await?;
    Ok(resource(StatusCode::CREATED, &shown(&row, &namespace)))
}

#[handler]
async fn remove(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String)>) -> Response {
    let answer = async {
        let visit = RegistryVisit::of(app.0, request).await?;
        let (organization, _) = visit.changeable(&path.0.0, |rights| rights.providers).await?;
        store::write(&app.db, async |tx| remove_key(tx, organization.id, &path.0.1).await).await?;
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    };
    answered(answer.await)
}
