//! Pure: documents as they are sent: reading them, and from values of attributes to cells and back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem::http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::resource::{Attribute, Fallback, Resource, Shape};
use super::tables;
use crate::store::resource::{Cell, Kind, Row};

/// A resource as a client sends it.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    /// A name for this document only.
    pub(super) lid: Option<String>,
    pub(super) attributes: Map<String, Value>,
    pub(super) relationships: BTreeMap<String, Linkage>,
}

/// What a relationship leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Linkage {
    One(Option<Reference>),
    Many(Vec<Reference>),
}

/// The name of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) kind: String,
    /// The id; where there is none, a name of this document.
    pub(super) id: Option<String>,
    pub(super) lid: Option<String>,
}

fn invalid(why: &str) -> Problem {
    Problem::bad(format!("Bad Request Body'Invalid JSON-API document: {why}'"))
}

/// Reads a document with one resource.
pub(super) fn one(body: &[u8]) -> Result<Given> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(invalid("it is empty"));
    }
    let document: Value = serde_json::from_slice(body).map_err(|error| Problem::bad(error.to_string()))?;
    match document.get("data") {
        Some(data @ Value::Object(_)) => given(data),
        Some(Value::Array(list)) if list.len() == 1 => given(list.first().unwrap_or(&Value::Null)),
        Some(Value::Array(_) | Value::Null) => {
            Err(Problem::bad("Bad Request Body'Expected single element but found list'"))
        }
        _ => Err(invalid("data is missing")),
    }
}

/// Reads a resource.
pub(super) fn given(data: &Value) -> Result<Given> {
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
            relationships.insert(name, linkage(data)?);
        }
    }
    Ok(Given { kind, id: text("id"), lid: text("lid"), attributes: map("attributes")?, relationships })
}

/// Reads the data of a relationship.
pub(super) fn linkage(data: &Value) -> Result<Linkage> {
    match data {
        Value::Null => Ok(Linkage::One(None)),
        Value::Array(list) => Ok(Linkage::Many(list.iter().map(reference).collect::<Result<_>>()?)),
        other => Ok(Linkage::One(Some(reference(other)?))),
    }
}

/// Reads the name of a resource.
pub(super) fn reference(data: &Value) -> Result<Reference> {
    let text = |key: &str| data.get(key).and_then(scalar);
    let kind = text("type").ok_or_else(|| invalid("the type of a relationship is missing"))?;
    Ok(Reference { kind, id: text("id"), lid: text("lid") })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// What a client gave for an attribute; texts of numbers and of yes and no are taken for those.
pub(super) fn cell(attribute: &Attribute, value: &Value) -> Result<Cell> {
    let refused = || {
        Problem::bad(format!(
            "Invalid value: {} for {}",
            scalar(value).unwrap_or_else(|| value.to_string()),
            attribute.name
        ))
    };
    if value.is_null() {
        return Ok(Cell::Null);
    }
    match attribute.shape {
        Shape::Texts(_) => {
            let list: Vec<String> = serde_json::from_value(value.clone()).map_err(|_| refused())?;
            if list.len() > 500 || list.iter().any(|text| text.chars().count() > attribute.most) {
                return Err(too_long(attribute));
            }
            Ok(Cell::Json(json!(list)))
        }
        Shape::Derived(_) => Err(refused()),
        shape => {
            let text = scalar(value).ok_or_else(refused)?;
            if text.chars().count() > attribute.most {
                return Err(too_long(attribute));
            }
            match shape {
                Shape::Choice(_, of) if !of.contains(&text.as_str()) => Err(refused()),
                _ => parsed(shape.column().map_or(Kind::Text, |column| column.kind), &text).ok_or_else(refused),
            }
        }
    }
}

fn too_long(attribute: &Attribute) -> Problem {
    let detail =
        format!("The request could not be completed. {} has at most {} characters", attribute.name, attribute.most);
    Problem::new(StatusCode::LOCKED, detail)
}

/// A value as it is written in a path, a filter or a document.
pub(super) fn parsed(kind: Kind, text: &str) -> Option<Cell> {
    match kind {
        Kind::Id => Uuid::parse_str(text).ok().map(Cell::Id),
        Kind::Number => text.parse().ok().map(Cell::Number),
        Kind::Long => text.parse().ok().map(Cell::Long),
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Cell::Flag(true)),
            "false" | "0" => Some(Cell::Flag(false)),
            _ => None,
        },
        Kind::Time => time(text).map(Cell::Time),
        Kind::Text => (!text.contains('\0')).then(|| Cell::Text(text.to_owned())),
        Kind::Json => Some(Cell::Json(json!(text))),
        Kind::Bytes => Some(Cell::Bytes(text.as_bytes().to_vec())),
    }
}

/// A time of ISO 8601, also without seconds, as this face writes it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let whole = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok();
    whole.or_else(|| {
        Some(chrono::NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%dT%H:%M").ok()?.and_utc())
    })
}

/// An attribute of a row, as it is shown. `server` is the address of the server.
pub(super) fn shown(attribute: &Attribute, row: &Row, server: &str) -> Value {
    if let Shape::Derived(make) = attribute.shape {
        return make(row, server);
    }
    match attribute.shape.column().and_then(|column| row.get(column.name)) {
        // A row of an older version has nothing where a new one has this.
        Some(Cell::Null) => match attribute.fallback {
            Some(Fallback::Text(text)) => json!(text),
            _ => Value::Null,
        },
        None | Some(Cell::Bytes(_)) => Value::Null,
        Some(Cell::Id(id)) => json!(id),
        Some(Cell::Number(number)) => json!(number),
        Some(Cell::Long(number)) => json!(number),
        Some(Cell::Text(text)) => json!(text),
        Some(Cell::Flag(flag)) => json!(flag),
        // To the minute, as the original writes it.
        Some(Cell::Time(time)) => json!(time.format("%Y-%m-%dT%H:%MZ").to_string()),
        Some(Cell::Json(value)) => value.clone(),
    }
}

/// The id of a row, as it is shown.
pub(super) fn id_of(row: &Row) -> String {
    match row.get("id") {
        Some(Cell::Id(id)) => id.to_string(),
        Some(Cell::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The resource that a document is about has to be this one.
pub(super) fn require_kind(given: &str, resource: &Resource) -> Result<()> {
    if given == resource.kind {
        return Ok(());
    }
    match tables::by_kind(given) {
        None => Err(Problem::bad(format!("Unknown entity type: Entity {given} not found"))),
        Some(_) => {
            Err(Problem::bad(format!("Invalid value: Cannot assign value of type: {given} to {}", resource.kind)))
        }
    }
}

/// Reads the document of a relationship: only its data.
pub(super) fn relationship(body: &[u8]) -> Result<Value> {
    let document: Value = serde_json::from_slice(body).map_err(|error| Problem::bad(error.to_string()))?;
    document.get("data").cloned().ok_or_else(|| invalid("data is missing"))
}
