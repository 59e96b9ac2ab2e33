//! The kinds of columns and their values, the same for both kinds of database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Boolean,
    Integer,
    Float,
    Text,
    Json,
    Bytes,
    Time,
    Uuid,
}

impl Kind {
    /// By the name of a type, as SQLite or PostgreSQL shows it. Names are those that migrations have used.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "boolean" | "bool" => Self::Boolean,
            "integer" | "bigint" | "int4" | "int8" => Self::Integer,
            "double" | "float8" => Self::Float,
            "text" | "varchar" => Self::Text,
            "jsonb_text" | "jsonb" => Self::Json,
            "blob" | "bytea" => Self::Bytes,
            "timestamp_with_timezone_text" | "timestamptz" => Self::Time,
            "uuid_text" | "uuid" => Self::Uuid,
            _ => return None,
        })
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table with its columns, in alphabetical order, because the databases have different ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// The text of a document, as the database holds it.
    Json(String),
    Bytes(Vec<u8>),
    Time(DateTime<Utc>),
    Uuid(Uuid),
}

impl Value {
    /// About how much memory it needs, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len() + 32,
            Self::Bytes(bytes) => bytes.len() + 32,
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Float(_) | Self::Time(_) | Self::Uuid(_) => 32,
        }
    }
}
