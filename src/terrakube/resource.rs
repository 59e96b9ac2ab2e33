//! Pure: what a resource is: a table of attributes and relationships.

use serde_json::Value;

use crate::access::team::Rights;
use crate::store::resource::{Column, Kind, Row};

/// A resource of this face.
#[derive(Debug)]
pub(super) struct Resource {
    /// `type` of its documents.
    pub(super) kind: &'static str,
    pub(super) table: &'static str,
    /// Of its id: an id or a number.
    pub(super) key: Kind,
    /// Whether its collection stands at the root.
    pub(super) root: bool,
    pub(super) attributes: &'static [Attribute],
    pub(super) relations: &'static [Relation],
    pub(super) scope: Scope,
    /// What somebody needs to create, change and delete it.
    pub(super) needs: fn(Rights) -> bool,
    pub(super) methods: Methods,
    /// A column that hides a row.
    pub(super) hidden: Option<&'static str>,
    /// Whether it has the columns of the one who created and changed it.
    pub(super) audited: bool,
    /// What its rows have beside attributes and relationships, for what is derived of them.
    pub(super) extra: &'static [Column],
}

/// Who sees a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The row is an organization.
    Organization,
    /// Whoever sees something of its organization.
    Shared,
    /// Whoever sees the whole organization.
    Whole,
    /// Whoever sees the workspace that it is; its id is the row's.
    Workspace,
    /// Whoever sees the workspace that it belongs to.
    OfWorkspace,
}

/// What the protocol allows with a resource at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Methods {
    pub(super) create: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

pub(super) const ALL: Methods = Methods { create: true, update: true, delete: true };
pub(super) const NONE: Methods = Methods { create: false, update: false, delete: false };

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) write: Write,
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
pub(super) enum Write {
    Anybody,
    /// Whoever creates the row.
    Once,
    Server,
}

/// A value that nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    Null,
    Text(&'static str),
    Flag(bool),
}

/// A relationship.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    /// `type` of what it leads to.
    pub(super) target: &'static str,
    pub(super) link: Link,
}

/// Where a relationship is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// In a column of the row, which is always there.
    One(&'static str),
    /// In a column that may be empty.
    Maybe(&'static str),
    /// In this column of the rows that it leads to.
    Many(&'static str),
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
        Self { name, shape, write: Write::Anybody, fallback: Some(Fallback::Null), most: 4096 }
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
        Self { write: Write::Once, ..self }
    }

    pub(super) const fn server(self) -> Self {
        Self { write: Write::Server, ..self }
    }
}

/// The attributes that tell who created and changed a row.
pub(super) const AUDIT: [Attribute; 4] = [
    Attribute::text("createdBy", "created_by").server(),
    Attribute::of("createdDate", Shape::Time("created_at")).server(),
    Attribute::text("updatedBy", "updated_by").server(),
    Attribute::of("updatedDate", Shape::Time("updated_at")).server(),
];

impl Resource {
    /// Its attributes, with those that tell who changed it.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &'static Attribute> + use<> {
        static STAMPS: [Attribute; 4] = AUDIT;
        self.attributes.iter().chain(STAMPS.iter().take(if self.audited { STAMPS.len() } else { 0 }))
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes().find(|attribute| attribute.name == name)
    }

    pub(super) fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// The column of its id.
    pub(super) fn id(&self) -> Column {
        Column { name: "id", kind: self.key }
    }

    /// All columns that are read.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns = vec![self.id()];
        let read = self.attributes().filter(|attribute| !matches!(attribute.shape, Shape::Secret(_)));
        let links = self.relations.iter().filter_map(|relation| match relation.link {
            Link::One(name) | Link::Maybe(name) => Some(link_column(relation, name)),
            Link::Many(_) => None,
        });
        let more = read.filter_map(|attribute| attribute.shape.column()).chain(links).chain(self.extra.iter().copied());
        for column in more {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }
}

/// The column of a relationship to one.
pub(super) fn link_column(relation: &Relation, name: &'static str) -> Column {
    Column { name, kind: if relation.target == "job" { Kind::Number } else { Kind::Id } }
}
