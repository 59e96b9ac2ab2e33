//! Pure: an attribute of a resource: its name, its type, where it is stored, and who writes it.

use serde_json::Value;

use crate::store::resource::{Column, Kind, Row};

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) writer: Writer,
    /// What a new row has without it; none where it has to be given.
    pub(super) fallback: Option<Fallback>,
    /// The longest text, in characters.
    pub(super) most: usize,
}

/// What an attribute is, and where it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text(&'static str),
    /// One of these texts.
    Choice(&'static str, &'static [&'static str]),
    Flag(&'static str),
    Number(&'static str),
    Long(&'static str),
    Time(&'static str),
    /// A list of texts.
    Texts(&'static str),
    /// The id of something, as a text.
    Id(&'static str),
    /// Sealed, and never shown.
    Secret(&'static str),
    /// Made of the row and the address of the server.
    Derived(fn(&Row, &str) -> Value),
}

/// Who writes an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Anyone,
    /// Whoever creates the row.
    Creator,
    Server,
}

/// A value that nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    Null,
    Text(&'static str),
    Flag(bool),
}

impl Shape {
    /// The column; none where there is none to read.
    pub(super) fn column(self) -> Option<Column> {
        let (name, kind) = match self {
            Self::Text(name) | Self::Choice(name, _) => (name, Kind::Text),
            Self::Flag(name) => (name, Kind::Flag),
            Self::Number(name) => (name, Kind::Number),
            Self::Long(name) => (name, Kind::Long),
            Self::Time(name) => (name, Kind::Time),
            Self::Texts(name) => (name, Kind::Json),
            Self::Id(name) => (name, Kind::Id),
            Self::Secret(name) => (name, Kind::Bytes),
            Self::Derived(_) => return None,
        };
        Some(Column { name, kind })
    }
}

impl Attribute {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, writer: Writer::Anyone, fallback: Some(Fallback::Null), most: 4096 }
    }

    pub(super) const fn text(name: &'static str, column: &'static str) -> Self {
        Self::new(name, Shape::Text(column))
    }

    pub(super) const fn choice(name: &'static str, column: &'static str, of: &'static [&'static str]) -> Self {
        Self::new(name, Shape::Choice(column, of))
    }

    pub(super) const fn flag(name: &'static str, column: &'static str, fallback: bool) -> Self {
        Self { fallback: Some(Fallback::Flag(fallback)), ..Self::new(name, Shape::Flag(column)) }
    }

    pub(super) const fn of(name: &'static str, shape: Shape) -> Self {
        Self::new(name, shape)
    }

    /// Has to be given.
    pub(super) const fn required(self) -> Self {
        Self { fallback: None, ..self }
    }

    /// Has this value where it is not given.
    pub(super) const fn or(self, text: &'static str) -> Self {
        Self { fallback: Some(Fallback::Text(text)), ..self }
    }

    pub(super) const fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(super) const fn once(self) -> Self {
        Self { writer: Writer::Creator, ..self }
    }

    pub(super) const fn server(self) -> Self {
        Self { writer: Writer::Server, ..self }
    }
}

/// The attributes that tell who created and changed a row.
pub(super) const AUDIT: [Attribute; 4] = [
    Attribute::text("createdBy", "created_by").server(),
    Attribute::of("createdDate", Shape::Time("created_at")).server(),
    Attribute::text("updatedBy", "updated_by").server(),
    Attribute::of("updatedDate", Shape::Time("updated_at")).server(),
];
