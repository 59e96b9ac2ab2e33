//! Pure: converts attribute values between JSON and database cells.

use chrono::{DateTime, Utc};
use poem::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::attribute::{Attribute, Fallback, Shape};
use super::error::{Problem, Result};
use crate::secret::has_secret;
use crate::store::resource::{Cell, Kind, Row};

/// How much of a refused value an error repeats, in characters.
const MOST_SHOWN: usize = 200;

pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Converts a JSON value to a cell. Numbers and booleans are also accepted as text.
pub(super) fn to_cell(attribute: &Attribute, value: &Value) -> Result<Cell> {
    let refused = || {
        let given = scalar(value).unwrap_or_else(|| value.to_string());
        let given: String = given.chars().take(MOST_SHOWN).collect();
        Problem::bad(format!("Invalid value: {given} for {}: {} {}", attribute.name, attribute.name, attribute.shape))
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
        Shape::Always(_) | Shape::Derived(_) => Err(refused()),
        shape => {
            let text = scalar(value).ok_or_else(refused)?;
            if text.chars().count() > attribute.most {
                return Err(too_long(attribute));
            }
            if let Some(place) = attribute.login.filter(|_| has_secret(&text)) {
                let name = attribute.name;
                return Err(Problem::bad(format!("{name} must not contain a password or a token: {place}")));
            }
            match shape {
                Shape::Choice(_, of) if !of.contains(&text.as_str()) => Err(refused()),
                Shape::Word(_, of) if !is_word(&text, of) => Err(refused()),
                _ => parse_cell(shape.column().map_or(Kind::Text, |column| column.kind), &text).ok_or_else(refused),
            }
        }
    }
}

/// Whether a text is blank, or one of these words in any case.
fn is_word(text: &str, of: &[&str]) -> bool {
    let text = text.trim();
    text.is_empty() || of.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn too_long(attribute: &Attribute) -> Problem {
    let detail = format!(
        "The request could not be completed. {} must have at most {} characters",
        attribute.name, attribute.most
    );
    Problem::new(StatusCode::LOCKED, detail)
}

/// Parses a value of a path, a filter or a document.
pub(super) fn parse_cell(kind: Kind, text: &str) -> Option<Cell> {
    match kind {
        Kind::Id => Uuid::parse_str(text).ok().map(Cell::Id),
        Kind::Number => text.parse().ok().map(Cell::Number),
        Kind::Long => text.parse().ok().map(Cell::Long),
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" | "t" => Some(Cell::Flag(true)),
            "false" | "0" | "no" | "n" | "off" | "f" => Some(Cell::Flag(false)),
            _ => None,
        },
        Kind::Time => time(text).map(Cell::Time),
        Kind::Text => (!text.contains('\0')).then(|| Cell::Text(text.to_owned())),
        Kind::Json => Some(Cell::Json(json!(text))),
        Kind::Bytes => Some(Cell::Bytes(text.as_bytes().to_vec())),
    }
}

/// Parses an ISO 8601 time, with or without seconds.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let whole = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok();
    whole.or_else(|| {
        Some(chrono::NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%dT%H:%M").ok()?.and_utc())
    })
}

/// Converts an attribute of a row to JSON. `server` is the public URL.
pub(super) fn to_json(attribute: &Attribute, row: &Row, server: &str) -> Value {
    if let Shape::Derived(make) = attribute.shape {
        return make(row, server);
    }
    if let Shape::Always(flag) = attribute.shape {
        return json!(flag);
    }
    match attribute.shape.column().and_then(|column| row.get(column.name)) {
        // Rows from before the attribute had a default contain null.
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
        // To the minute, as Terrakube formats times.
        Some(Cell::Time(time)) => json!(time.format("%Y-%m-%dT%H:%MZ").to_string()),
        Some(Cell::Json(value)) => value.clone(),
    }
}

/// The id of a row, as text.
pub(super) fn row_id(row: &Row) -> String {
    row.get("id").map(cell_id).unwrap_or_default()
}

/// An id, as text; empty if there is none.
pub(super) fn cell_id(cell: &Cell) -> String {
    match cell {
        Cell::Id(id) => id.to_string(),
        Cell::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
