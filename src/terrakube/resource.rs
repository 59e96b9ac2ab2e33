//! Pure: a resource as a table of attributes and relationships.

use super::attribute::{AUDIT, Attribute, Shape};
use crate::access::reach::Rights;
use crate::store::resource::{Column, Kind};

/// A resource of the API.
#[derive(Debug)]
pub(super) struct Resource {
    /// The `type` of its documents.
    pub(super) kind: &'static str,
    pub(super) table: &'static str,
    /// The type of its id: `Id` or `Number`.
    pub(super) key: Kind,
    /// Whether its collection is available at the root.
    pub(super) root: bool,
    pub(super) attributes: &'static [Attribute],
    pub(super) relations: &'static [Relation],
    pub(super) visibility: Visibility,
    /// Whether rights allow creating, changing and deleting it.
    pub(super) needs: fn(Rights) -> bool,
    pub(super) methods: Methods,
    /// A flag column that hides a row.
    pub(super) hidden: Option<&'static str>,
    /// Whether it has the columns of `AUDIT`.
    pub(super) audited: bool,
    /// Additional columns to load, for derived attributes.
    pub(super) extra: &'static [Column],
    /// Why clients cannot create it. Without a table, none of it is stored, and its collections are empty.
    pub(super) refusal: Option<&'static str>,
}

/// Who may see a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    /// The row is an organization.
    Organization,
    /// Callers who may see anything in its organization.
    Shared,
    /// Callers who may see the whole organization.
    FullOrganization,
    /// The row is a workspace.
    Workspace,
    /// The row belongs to a workspace.
    OfWorkspace,
}

/// The methods that a resource supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Methods {
    pub(super) create: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

pub(super) const ALL: Methods = Methods { create: true, update: true, delete: true };
pub(super) const NONE: Methods = Methods { create: false, update: false, delete: false };

/// A relationship.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    /// The `type` of its target.
    pub(super) target: &'static str,
    pub(super) link: Link,
}

/// Where a relationship is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// To-one, in a column that is never null.
    One(&'static str),
    /// To-one, in a nullable column.
    Maybe(&'static str),
    /// To-many, in this column of the target rows.
    Many(&'static str),
    /// To-one, to a resource of which none can be stored.
    Nothing,
    /// To-many, to a resource of which none can be stored.
    Empty,
}

impl Link {
    pub(super) fn is_many(self) -> bool {
        matches!(self, Self::Many(_) | Self::Empty)
    }
}

impl Resource {
    /// Whether it has a table.
    pub(super) fn is_stored(&self) -> bool {
        !self.table.is_empty()
    }

    /// Its attributes, including those of `AUDIT`.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &'static Attribute> + use<> {
        static STAMPS: [Attribute; 4] = AUDIT;
        self.attributes.iter().chain(STAMPS.iter().take(if self.audited { STAMPS.len() } else { 0 }))
    }

    /// Whether it is created at the to-one relationship that leads to it, because its parent has at most one.
    pub(super) fn is_only_child(&self) -> bool {
        self.kind == "webhook"
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

    /// All columns to load.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns = vec![self.id()];
        let read = self.attributes().filter(|attribute| !matches!(attribute.shape, Shape::Secret(_)));
        let links = self.relations.iter().filter_map(|relation| match relation.link {
            Link::One(name) | Link::Maybe(name) => Some(link_column(relation, name)),
            Link::Many(_) | Link::Nothing | Link::Empty => None,
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

/// The column of a to-one relationship.
pub(super) fn link_column(relation: &Relation, name: &'static str) -> Column {
    Column { name, kind: if relation.target == "job" { Kind::Number } else { Kind::Id } }
}
