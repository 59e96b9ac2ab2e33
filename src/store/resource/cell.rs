//! Columns and their values.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::Value;
use uuid::Uuid;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Number,
    Long,
    Text,
    Flag,
    Time,
    Json,
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Id(Uuid),
    Number(i32),
    Long(i64),
    Text(String),
    Flag(bool),
    Time(DateTime<Utc>),
    Json(serde_json::Value),
    Bytes(Vec<u8>),
}

impl Cell {
    /// The bound value; a null needs a type too.
    pub(super) fn bound(&self, kind: Kind) -> Value {
        match self {
            Self::Null => match kind {
                Kind::Id => Value::from(None::<Uuid>),
                Kind::Number => Value::from(None::<i32>),
                Kind::Long => Value::from(None::<i64>),
                Kind::Text => Value::from(None::<String>),
                Kind::Flag => Value::from(None::<bool>),
                Kind::Time => Value::from(None::<DateTime<Utc>>),
                Kind::Json => Value::from(None::<serde_json::Value>),
                Kind::Bytes => Value::from(None::<Vec<u8>>),
            },
            Self::Id(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Long(value) => (*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Flag(value) => (*value).into(),
            Self::Time(value) => (*value).into(),
            Self::Json(value) => value.clone().into(),
            Self::Bytes(value) => value.clone().into(),
        }
    }

    /// The text, if the value is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The id, if the value is one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The number, if the value is one.
    #[must_use]
    pub fn number(&self) -> Option<i32> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the value is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }
}

/// A row, or the changes to one.
pub type Row = BTreeMap<&'static str, Cell>;
