//! Pure: what a resource is: a table of attributes and relationships.

use super::attribute::{AUDIT, Attribute, Shape};
use crate::access::team::Rights;
use crate::store::resource::{Column, Kind};

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
    pub(super) visibility: Visibility,
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
pub(super) enum Visibility {
    /// The row is an organization.
    Organization,
    /// Whoever sees something of its organization.
    Shared,
    /// Whoever sees the whole organization.
    FullOrganization,
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
