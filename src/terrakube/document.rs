//! Pure: parses JSON:API documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::attribute_value::scalar;
use super::error::{Problem, Result};
use super::resource::Resource;
use super::tables;
use crate::input::read_json;

/// A resource object that a client sent.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceObject {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    /// A local id, valid in this document only.
    pub(super) lid: Option<String>,
    pub(super) attributes: Map<String, Value>,
    pub(super) relationships: BTreeMap<String, Linkage>,
}

/// The linkage of a relationship.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Linkage {
    One(Option<Reference>),
    Many(Vec<Reference>),
}

/// A resource identifier.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) kind: String,
    /// The id; a reference without one has a `lid`.
    pub(super) id: Option<String>,
    pub(super) lid: Option<String>,
}

fn invalid(why: &str) -> Problem {
    Problem::bad(format!("Bad Request Body'Invalid JSON-API document: {why}'"))
}

/// Parses a document with one resource.
pub(super) fn parse_document(body: &[u8]) -> Result<ResourceObject> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(invalid("the document is empty"));
    }
    let document = read_json::parse(body)?;
    match document.get("data") {
        Some(data @ Value::Object(_)) => parse_resource_object(data),
        Some(Value::Array(list)) if list.len() == 1 => parse_resource_object(list.first().unwrap_or(&Value::Null)),
        Some(Value::Array(_) | Value::Null) => {
            Err(Problem::bad("Bad Request Body'Expected single element but found list'"))
        }
        _ => Err(invalid("data is missing")),
    }
}

/// Parses a resource object.
pub(super) fn parse_resource_object(data: &Value) -> Result<ResourceObject> {
    let text = |key: &str| data.get(key).and_then(scalar);
    let kind = text("type").ok_or_else(|| invalid("data.type is missing"))?;
    let map = |key: &str| match data.get(key) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(invalid(&format!("data.{key} is not an object"))),
    };
    let mut relationships = BTreeMap::new();
    for (name, relationship) in map("relationships")? {
        if let Some(data) = relationship.get("data") {
            relationships.insert(name, parse_linkage(data)?);
        }
    }
    Ok(ResourceObject { kind, id: text("id"), lid: text("lid"), attributes: map("attributes")?, relationships })
}

/// Parses the data of a relationship.
pub(super) fn parse_linkage(data: &Value) -> Result<Linkage> {
    match data {
        Value::Null => Ok(Linkage::One(None)),
        Value::Array(list) => Ok(Linkage::Many(list.iter().map(parse_reference).collect::<Result<_>>()?)),
        other => Ok(Linkage::One(Some(parse_reference(other)?))),
    }
}

/// Parses a resource identifier.
pub(super) fn parse_reference(data: &Value) -> Result<Reference> {
    let text = |key: &str| data.get(key).and_then(scalar);
    let kind = text("type").ok_or_else(|| invalid("the type of a relationship is missing"))?;
    Ok(Reference { kind, id: text("id"), lid: text("lid") })
}

/// Checks that a document is about this resource.
pub(super) fn require_kind(given: &str, resource: &Resource) -> Result<()> {
    if given.eq_ignore_ascii_case(resource.kind) {
        return Ok(());
    }
    match tables::by_kind(given) {
        None => Err(Problem::bad(format!("Unknown entity type: Entity {given} not found"))),
        Some(_) => {
            Err(Problem::bad(format!("Invalid value: Cannot assign value of type: {given} to {}", resource.kind)))
        }
    }
}

/// Parses a relationship document and returns its data.
pub(super) fn parse_relationship(body: &[u8]) -> Result<Value> {
    let document = read_json::parse(body)?;
    document.get("data").cloned().ok_or_else(|| invalid("data is missing"))
}
