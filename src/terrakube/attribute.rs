//! Pure: attributes of resources: name, type, column and writer.

use std::fmt;

use serde_json::Value;

use crate::store::resource::{Column, Kind, Row};

/// An attribute of a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) writer: Writer,
    /// The default for a new row; `None` if the attribute is required.
    pub(super) fallback: Option<Fallback>,
    /// The length limit of a text, in characters.
    pub(super) most: usize,
    /// For a URL, which must not contain a password: where the password belongs.
    pub(super) login: Option<&'static str>,
}

/// The type of an attribute, and its column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text(&'static str),
    /// One of these texts.
    Choice(&'static str, &'static [&'static str]),
    /// One of these texts in any case, or a blank one.
    Word(&'static str, &'static [&'static str]),
    Flag(&'static str),
    Number(&'static str),
    Long(&'static str),
    Time(&'static str),
    /// A list of texts.
    Texts(&'static str),
    /// The id of another resource, as text.
    Id(&'static str),
    /// Sealed, and never returned.
    Secret(&'static str),
    /// The same for every row: a feature that does not exist.
    Always(bool),
    /// Computed from the row and the public URL of the server.
    Derived(fn(&Row, &str) -> Value),
}

impl fmt::Display for Shape {
    /// The values that are allowed, to follow the name of the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) | Self::Secret(_) => f.write_str("must be a text without NUL characters"),
            Self::Choice(_, of) => write!(f, "must be one of {}", of.join(", ")),
            Self::Word(_, of) => write!(f, "must be empty or one of {}", of.join(", ")),
            Self::Flag(_) => f.write_str("must be true or false"),
            Self::Number(_) | Self::Long(_) => f.write_str("must be a whole number"),
            Self::Time(_) => f.write_str("must be a time such as 2026-11-27T10:00Z"),
            Self::Texts(_) => f.write_str("must be a list of at most 500 texts"),
            Self::Id(_) => f.write_str("must be a UUID"),
            Self::Always(_) | Self::Derived(_) => f.write_str("is read-only"),
        }
    }
}

/// Who may write an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Anyone,
    /// Clients, when they create the row.
    Creator,
    Server,
}

/// The default value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    Null,
    Text(&'static str),
    Flag(bool),
}

impl Shape {
    /// The column, unless the attribute is derived.
    pub(super) fn column(self) -> Option<Column> {
        let (name, kind) = match self {
            Self::Text(name) | Self::Choice(name, _) | Self::Word(name, _) => (name, Kind::Text),
            Self::Flag(name) => (name, Kind::Flag),
            Self::Number(name) => (name, Kind::Number),
            Self::Long(name) => (name, Kind::Long),
            Self::Time(name) => (name, Kind::Time),
            Self::Texts(name) => (name, Kind::Json),
            Self::Id(name) => (name, Kind::Id),
            Self::Secret(name) => (name, Kind::Bytes),
            Self::Always(_) | Self::Derived(_) => return None,
        };
        Some(Column { name, kind })
    }
}

impl Attribute {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, writer: Writer::Anyone, fallback: Some(Fallback::Null), most: 4096, login: None }
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

    /// Makes the attribute required.
    pub(super) const fn required(self) -> Self {
        Self { fallback: None, ..self }
    }

    /// Sets the default value.
    pub(super) const fn or(self, text: &'static str) -> Self {
        Self { fallback: Some(Fallback::Text(text)), ..self }
    }

    pub(super) const fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Makes a text a URL. `login` says where its password belongs.
    pub(super) const fn url(self, login: &'static str) -> Self {
        Self { most: 2048, login: Some(login), ..self }
    }

    pub(super) const fn once(self) -> Self {
        Self { writer: Writer::Creator, ..self }
    }

    pub(super) const fn server(self) -> Self {
        Self { writer: Writer::Server, ..self }
    }
}

/// The attributes that record who created and changed a row.
pub(super) const AUDIT: [Attribute; 4] = [
    Attribute::text("createdBy", "created_by").server(),
    Attribute::of("createdDate", Shape::Time("created_at")).server(),
    Attribute::text("updatedBy", "updated_by").server(),
    Attribute::of("updatedDate", Shape::Time("updated_at")).server(),
];
