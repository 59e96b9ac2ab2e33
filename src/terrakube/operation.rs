//! Several writes in one request, of which all are done or none (extension `atomic` of JSON:API).

use std::collections::HashMap;
use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::{Body, Request, Response};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::{self, Given, Linkage, id_of};
use super::error::{Problem, Result};
use super::path::{self, End};
use super::resource::Resource;
use super::session::Session;
use super::{read, special};
use crate::app::App;
use crate::store;
use crate::store::resource;

/// What both headers have to say.
const EXTENSION: &str = "https://jsonapi.org/ext/atomic";
const MEDIA: &str = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";
/// The most operations of one request.
const MOST: usize = 100;

/// Answers a request with operations.
pub(super) async fn handle(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    let session = Session::of(app, request).await?;
    let says = |name| {
        let text = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.starts_with(super::MEDIA) && text.contains(EXTENSION)
    };
    if !says(header::CONTENT_TYPE) || !says(header::ACCEPT) {
        let response = Response::builder().status(StatusCode::UNSUPPORTED_MEDIA_TYPE).content_type("text/plain");
        return Ok(response.body("Unsupported Media Type"));
    }
    let document: Value =
        serde_json::from_slice(&read(body).await?).map_err(|error| Problem::bad(error.to_string()))?;
    let operations = document.get("atomic:operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| Problem::bad("Bad Request Body'atomic:operations is missing'"))?;
    if operations.len() > MOST {
        return Err(Problem::bad(format!("a request has at most {MOST} operations")));
    }
    let mut failed_at = 0;
    let done = store::write(&app.db, async |tx| {
        let mut names = HashMap::new();
        let mut done = Vec::with_capacity(operations.len());
        for (place, operation) in operations.iter().enumerate() {
            failed_at = place;
            done.push(one(&session, tx, operation, &mut names).await?);
        }
        Ok::<_, Problem>(done)
    })
    .await;
    let done = match done {
        Ok(done) => done,
        Err(problem) => {
            let errors: Vec<Value> = (0..=failed_at)
                .map(|place| if place == failed_at { problem.element() } else { json!({"errors": []}) })
                .collect();
            let response = Response::builder().status(StatusCode::BAD_REQUEST).content_type(MEDIA);
            return Ok(response.body(json!(errors).to_string()));
        }
    };
    let mut results = Vec::with_capacity(done.len());
    for made in done {
        let Some((of, id)) = made else {
            results.push(json!({"data": null}));
            continue;
        };
        special::after(&session, of);
        let row = session.by_id(&app.db, of, &id, resource::constant(true)).await;
        results.push(match row {
            Ok(row) => session.made(of, row).await?,
            // It hid itself.
            Err(_) => json!({"data": null}),
        });
    }
    Ok(Response::builder().content_type(MEDIA).body(json!({"atomic:results": results}).to_string()))
}

type Names = HashMap<String, String>;

/// Does one operation; what was made or changed.
async fn one(
    session: &Session,
    tx: &DatabaseTransaction,
    operation: &Value,
    names: &mut Names,
) -> Result<Option<(&'static Resource, String)>> {
    let word = operation.get("op").and_then(Value::as_str).unwrap_or_default();
    let data = operation.get("data").filter(|data| !data.is_null());
    let mut given = match data {
        Some(data @ Value::Object(_)) if !is_relationship(operation) => Some(document::given(data)?),
        _ => None,
    };
    if let Some(given) = &mut given {
        resolve(given, names)?;
    }
    let path = path_of(operation, given.as_ref(), names)?;
    let way = path::read(&path)?;
    let found = session.walk(tx, &way).await?;
    match (word, way.end) {
        ("add", End::Collection(of, relation)) => {
            let given = given.ok_or_else(|| Problem::bad("add: data is missing"))?;
            document::require_kind(&given.kind, of)?;
            let id = match (&given.id, &given.lid) {
                (None, None) => return Err(Problem::bad("add: data has neither id nor lid")),
                (Some(id), _) => Uuid::parse_str(id).ok(),
                (None, Some(_)) => None,
            };
            let row = session.create(tx, of, relation, &found, &given, id).await?;
            for name in given.lid.iter().chain(&given.id) {
                names.insert(name.clone(), id_of(&row));
            }
            Ok(Some((of, id_of(&row))))
        }
        ("update", End::Item) => {
            let given = given.ok_or_else(|| Problem::bad("update: data is missing"))?;
            let (of, row) = found.last.clone().ok_or_else(|| Problem::bad("update: the path is empty"))?;
            document::require_kind(&given.kind, of)?;
            session.update(tx, of, &found, &row, &given).await?;
            Ok(Some((of, id_of(&row))))
        }
        ("update", End::Relationship(relation)) => {
            let (of, row) = found.last.clone().ok_or_else(|| Problem::bad("update: the path is empty"))?;
            let linkage = document::linkage(data.unwrap_or(&Value::Null))?;
            let mut given = Given { kind: of.kind.into(), ..Given::default() };
            given.relationships.insert(relation.name.into(), linkage);
            resolve(&mut given, names)?;
            session.update(tx, of, &found, &row, &given).await?;
            Ok(None)
        }
        ("remove", End::Item) => {
            let (of, row) = found.last.clone().ok_or_else(|| Problem::bad("remove: the path is empty"))?;
            session.remove(tx, of, &found, &row).await?;
            Ok(None)
        }
        _ => Err(Problem::bad(format!("{word:?} cannot be done at {path}"))),
    }
}

fn is_relationship(operation: &Value) -> bool {
    operation.get("ref").is_some_and(|of| of.get("relationship").is_some())
        || operation.get("href").and_then(Value::as_str).is_some_and(|href| href.contains("/relationships/"))
}

/// Where an operation is done.
fn path_of(operation: &Value, given: Option<&Given>, names: &Names) -> Result<String> {
    if let Some(href) = operation.get("href").and_then(Value::as_str) {
        let path = href.split_once("/api/v1/").map_or(href, |(_, path)| path);
        let real = |segment: &str| names.get(segment).cloned().unwrap_or_else(|| segment.to_owned());
        return Ok(path.split('/').map(real).collect::<Vec<_>>().join("/"));
    }
    let named = match (operation.get("ref"), given) {
        (Some(of), _) => Some(document::reference(of)?),
        (None, Some(given)) => {
            Some(document::Reference { kind: given.kind.clone(), id: given.id.clone(), lid: given.lid.clone() })
        }
        (None, None) => None,
    };
    let named = named.ok_or_else(|| Problem::bad("an operation has neither href nor ref"))?;
    let id = named.lid.as_ref().and_then(|lid| names.get(lid).cloned()).or(named.id);
    let id = id.ok_or_else(|| Problem::bad("the ref of an operation has no id"))?;
    let relationship = operation.get("ref").and_then(|of| of.get("relationship")).and_then(Value::as_str);
    Ok(match relationship {
        Some(name) => format!("{}/{id}/relationships/{name}", named.kind),
        None => format!("{}/{id}", named.kind),
    })
}

/// Puts ids in place of the names of this document.
fn resolve(given: &mut Given, names: &Names) -> Result<()> {
    for linkage in given.relationships.values_mut() {
        let references: Vec<&mut document::Reference> = match linkage {
            Linkage::One(reference) => reference.iter_mut().collect(),
            Linkage::Many(list) => list.iter_mut().collect(),
        };
        for reference in references {
            let name = reference.lid.as_ref().or(reference.id.as_ref());
            if let Some(id) = name.and_then(|name| names.get(name)) {
                reference.id = Some(id.clone());
            } else if let (None, Some(lid)) = (&reference.id, &reference.lid) {
                return Err(Problem::bad(format!("nothing is called {lid} in these operations")));
            }
        }
    }
    Ok(())
}
