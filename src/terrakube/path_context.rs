//! The result of walking a path: the last row, and the organization and workspace that it belongs to.

use entity::id::{OrganizationId, WorkspaceId};
use sea_orm::sea_query::SimpleExpr;

use super::path::End;
use super::resource::{Link, Relation, Resource, Visibility, link_column};
use crate::store::resource::{self, Cell, Column, Kind, Row};

/// The end of a path.
#[derive(Clone, Debug, Default)]
pub(super) struct PathContext {
    /// The last row of the path, with its resource.
    pub(super) last: Option<(&'static Resource, Row)>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) workspace: Option<WorkspaceId>,
}

impl PathContext {
    pub(super) fn note(&mut self, of: &'static Resource, row: Row) {
        let id = row.get("id").and_then(Cell::id);
        match of.visibility {
            Visibility::Organization => self.organization = id.map(OrganizationId),
            Visibility::Workspace => self.workspace = id.map(WorkspaceId),
            Visibility::Shared | Visibility::FullOrganization | Visibility::OfWorkspace => {}
        }
        if let Some(id) = row.get("organization_id").and_then(Cell::id) {
            self.organization = Some(OrganizationId(id));
        }
        if let Some(id) = row.get("workspace_id").and_then(Cell::id) {
            self.workspace = Some(WorkspaceId(id));
        }
        self.last = Some((of, row));
    }

    /// The last row, as the parent of a collection.
    pub(super) fn parent(&self) -> Option<&Row> {
        self.last.as_ref().map(|(_, row)| row)
    }
}

/// The condition that selects the rows that a relationship of `parent` leads to.
pub(super) fn belongs_to(target: &'static Resource, relation: &Relation, parent: &Row) -> SimpleExpr {
    match relation.link {
        Link::Many(column) => {
            let kind = match parent.get("id") {
                Some(Cell::Number(_)) => Kind::Number,
                _ => Kind::Id,
            };
            let id = parent.get("id").cloned().unwrap_or(Cell::Null);
            resource::is(target.table, Column { name: column, kind }, &id)
        }
        Link::One(column) | Link::Maybe(column) => match parent.get(link_column(relation, column).name) {
            Some(cell) if *cell != Cell::Null => resource::is(target.table, target.id(), cell),
            _ => resource::constant(false),
        },
        Link::Nothing | Link::Empty => resource::constant(false),
    }
}

/// The condition of a collection at the end of a path.
pub(super) fn collection_condition(end: End, found: &PathContext) -> SimpleExpr {
    match (end, found.parent()) {
        (End::Collection(resource, Some(relation)), Some(parent)) => belongs_to(resource, relation, parent),
        _ => resource::constant(true),
    }
}
