//! Atomic operations (a JSON:API extension): several writes in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use poem::http::{StatusCode, header};
use poem::{Body, Request, Response};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::attribute_value::row_id;
use super::document::{self, ResourceObject};
use super::error::{self, Problem, Result};
use super::operation_path::{Names, is_relationship, path_of, resolve, resolve_linkage};
use super::path::{self, End};
use super::path_context::PathContext;
use super::request::read_json_body;
use super::resource::{Relation, Resource};
use super::session::Session;
use super::special;
use super::write::MemberChange;
use crate::app::App;
use crate::store;
use crate::store::resource;

/// The extension that Content-Type and Accept must name.
const EXTENSION: &str = "https://jsonapi.org/ext/atomic";
const MEDIA: &str = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";
/// The limit of operations in one request.
const MOST: usize = 100;

/// Handles a request with operations.
pub(super) async fn handle(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    let session = Session::of(app, request).await?;
    let says = |name| {
        let text = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.starts_with(error::MEDIA) && text.contains(EXTENSION)
    };
    if !says(header::CONTENT_TYPE) || !says(header::ACCEPT) {
        let response = Response::builder().status(StatusCode::UNSUPPORTED_MEDIA_TYPE).content_type("text/plain");
        return Ok(response.body("Unsupported Media Type"));
    }
    let document = read_json_body(body).await?;
    let operations = document.get("atomic:operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| Problem::bad("Bad Request Body'atomic:operations is missing'"))?;
    if operations.len() > MOST {
        return Err(Problem::bad(format!("a request must have at most {MOST} operations")));
    }
    for data in operations.iter().filter_map(|operation| operation.get("data").filter(|data| data.is_object())) {
        if let Ok(given) = document::parse_resource_object(data) {
            special::before(&session, &given).await?;
        }
    }
    let reached = AtomicUsize::new(0);
    let done = store::write(&app.db, async |tx| {
        let mut names = HashMap::new();
        let mut done = Vec::with_capacity(operations.len());
        for (place, operation) in operations.iter().enumerate() {
            reached.store(place, Ordering::Relaxed);
            done.push(one(&session, tx, operation, &mut names).await?);
        }
        Ok::<_, Problem>(done)
    })
    .await;
    let done = match done {
        Ok(done) => done,
        Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE => return Err(problem),
        Err(problem) => {
            let failed_at = reached.into_inner();
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
        special::after_write(&session, of);
        let row = session.by_id(&app.db, of, &id, resource::constant(true)).await;
        results.push(match row {
            Ok(row) => session.created_document(of, row).await?,
            // The write has hidden the resource.
            Err(_) => json!({"data": null}),
        });
    }
    Ok(Response::builder().content_type(MEDIA).body(json!({"atomic:results": results}).to_string()))
}

/// The path that an operation changes. Clients update the only child of a resource at the relationship that leads to it.
fn updated_path(path: String, word: &str, given: Option<&ResourceObject>) -> Result<String> {
    let end = path::parse(&path)?.end;
    match (end, given.and_then(|given| given.id.as_ref())) {
        (End::Related(of, _), Some(id)) if word == "update" && of.is_only_child() => {
            Ok(format!("{}/{id}", path.trim_end_matches('/')))
        }
        _ => Ok(path),
    }
}

/// Creates a resource, and remembers the names that later operations use for it.
async fn add(
    session: &Session,
    tx: &DatabaseTransaction,
    (of, relation): (&'static Resource, Option<&'static Relation>),
    found: &PathContext,
    given: Option<&ResourceObject>,
    names: &mut Names,
) -> Result<(&'static Resource, String)> {
    let given = given.ok_or_else(|| Problem::bad("add: data is missing"))?;
    document::require_kind(&given.kind, of)?;
    let id = match (&given.id, &given.lid) {
        (None, None) => return Err(Problem::bad("add: data has neither id nor lid")),
        (Some(id), _) => Uuid::parse_str(id).ok(),
        (None, Some(_)) => None,
    };
    let row = session.create(tx, of, relation, found, given, id).await?;
    for name in given.lid.iter().chain(&given.id) {
        names.insert(name.clone(), row_id(&row));
    }
    Ok((of, row_id(&row)))
}

/// Executes one operation and returns the resource that it created or updated.
async fn one(
    session: &Session,
    tx: &DatabaseTransaction,
    operation: &Value,
    names: &mut Names,
) -> Result<Option<(&'static Resource, String)>> {
    let word = operation.get("op").and_then(Value::as_str).unwrap_or_default();
    let data = operation.get("data").filter(|data| !data.is_null());
    let mut given = match data {
        Some(data @ Value::Object(_)) if !is_relationship(operation) => Some(document::parse_resource_object(data)?),
        _ => None,
    };
    if let Some(given) = &mut given {
        resolve(given, names)?;
    }
    let path = updated_path(path_of(operation, given.as_ref(), names)?, word, given.as_ref())?;
    let resource_path = path::parse(&path)?;
    let found = session.walk(tx, &resource_path).await?;
    match (word, resource_path.end) {
        ("add", End::Collection(of, relation)) => {
            add(session, tx, (of, relation), &found, given.as_ref(), names).await.map(Some)
        }
        ("add", End::Related(of, relation)) if of.is_only_child() => {
            add(session, tx, (of, Some(relation)), &found, given.as_ref(), names).await.map(Some)
        }
        ("update", End::Item) => {
            let given = given.ok_or_else(|| Problem::bad("update: data is missing"))?;
            let (of, row) = found.last.clone().ok_or_else(|| Problem::bad("update: the path is empty"))?;
            document::require_kind(&given.kind, of)?;
            session.update(tx, of, &found, &row, &given).await?;
            Ok(Some((of, row_id(&row))))
        }
        ("add" | "update" | "remove", End::Relationship(relation)) => {
            let change = match word {
                "add" => MemberChange::Add,
                "remove" => MemberChange::Remove,
                _ => MemberChange::Replace,
            };
            let mut linkage = document::parse_linkage(data.unwrap_or(&Value::Null))?;
            resolve_linkage(&mut linkage, names)?;
            session.change_members(tx, relation, &found, change, &linkage).await?;
            Ok(None)
        }
        ("remove", End::Item) => {
            let (of, row) = found.last.clone().ok_or_else(|| Problem::bad("remove: the path is empty"))?;
            session.remove(tx, of, &found, &row).await?;
            Ok(None)
        }
        _ => Err(Problem::bad(format!("operation {word:?} is not supported at {path}"))),
    }
}
