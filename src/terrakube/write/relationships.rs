//! Relationships as part of a resource that is written.

use entity::id::{OrganizationId, WorkspaceId};
use poem::http::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::store::resource::{self, Cell, Kind};
use crate::terrakube::changes::Changes;
use crate::terrakube::document::{Linkage, Reference, ResourceObject, require_kind};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::resource::{Link, Relation, Resource, Visibility, link_column};
use crate::terrakube::session::Session;
use crate::terrakube::tables;

impl Session {
    /// Sets the columns of the to-one relationships, from the document and from the path.
    pub(super) async fn set_relationships(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        relation: Option<&Relation>,
        found: &mut PathContext,
        given: &ResourceObject,
        changes: &mut Changes,
    ) -> Result<()> {
        for (name, linkage) in &given.relationships {
            let known = of.relation(name);
            let known = known.ok_or_else(|| {
                Problem::new(StatusCode::NOT_FOUND, format!("Unknown attribute {name} in {}", of.kind))
            })?;
            match (known.link, linkage) {
                (Link::One(column) | Link::Maybe(column), Linkage::One(reference)) => {
                    let cell = self.resolve_linkage(tx, known, reference.as_ref(), found).await?;
                    if column == "workspace_id" {
                        note_workspace(found, &cell)?;
                    }
                    self.note_owner(tx, known, &cell, found).await?;
                    if column == "organization_id" && found.organization.is_none() {
                        found.organization = cell.id().map(OrganizationId);
                    }
                    if column != "organization_id" {
                        changes.set(column, link_column(known, column).kind, cell);
                    }
                }
                // A to-many relationship is stored in its target rows.
                (Link::Many(_) | Link::Empty, Linkage::Many(list)) if list.is_empty() => {}
                (Link::Nothing, Linkage::One(reference)) => {
                    if reference.is_some() {
                        self.resolve_linkage(tx, known, reference.as_ref(), found).await?;
                    }
                }
                (Link::Many(_) | Link::Empty, _) => {
                    return Err(Problem::bad(format!("{name} is read-only here; set it on the related resource")));
                }
                (_, Linkage::Many(_)) => {
                    return Err(Problem::bad(format!("Bad Request Body'{name} must be a single resource'")));
                }
            }
        }
        let columns = of.columns();
        let has = |name: &str| columns.iter().any(|column| column.name == name);
        if let Some(organization) = found.organization.filter(|_| has("organization_id")) {
            changes.set("organization_id", Kind::Id, Cell::Id(organization.0));
        }
        if let Some(workspace) = found.workspace.filter(|_| has("workspace_id")) {
            changes.set("workspace_id", Kind::Id, Cell::Id(workspace.0));
        }
        if let (Some(Relation { link: Link::Many(column), .. }), Some(parent)) = (relation, found.parent())
            && has(column)
            && let Some(id @ Cell::Id(_)) = parent.get("id")
        {
            changes.set(column, Kind::Id, id.clone());
        }
        Ok(())
    }

    /// Notes the organization and the workspace of the resource that a new one belongs to, if the path does not name them.
    async fn note_owner(
        &self,
        tx: &DatabaseTransaction,
        relation: &Relation,
        to: &Cell,
        found: &mut PathContext,
    ) -> Result<()> {
        let (Link::One(_), Some(id), Some(target)) = (relation.link, to.id(), tables::target(relation)) else {
            return Ok(());
        };
        let names_owner = matches!(target.visibility, Visibility::Workspace | Visibility::OfWorkspace);
        if !names_owner || (found.organization.is_some() && found.workspace.is_some()) {
            return Ok(());
        }
        let owner = self.by_id(tx, target, &id.to_string(), resource::constant(true)).await?;
        let cell = |name: &str| owner.get(name).and_then(Cell::id);
        found.organization = found.organization.or(cell("organization_id").map(OrganizationId));
        found.workspace = found.workspace.or(cell("workspace_id").map(WorkspaceId));
        Ok(())
    }

    /// Resolves a to-one linkage. The target must be visible to the caller and belong to the same organization.
    pub(super) async fn resolve_linkage(
        &self,
        db: &impl ConnectionTrait,
        relation: &Relation,
        to: Option<&Reference>,
        found: &PathContext,
    ) -> Result<Cell> {
        let Some(target) = tables::target(relation) else { return Ok(Cell::Null) };
        let Some(reference) = to else {
            return match relation.link {
                Link::Maybe(_) | Link::Nothing => Ok(Cell::Null),
                Link::One(_) | Link::Many(_) | Link::Empty => Err(Problem::unknown("null", target.kind)),
            };
        };
        require_kind(&reference.kind, target)?;
        let id = reference.id.as_deref().ok_or_else(|| Problem::unknown("null", target.kind))?;
        let missing = || Problem::new(StatusCode::NOT_FOUND, format!("Unknown identifier {id} for {}", target.kind));
        let row = self.by_id(db, target, id, resource::constant(true)).await.map_err(|_| missing())?;
        let elsewhere = match (found.organization, row.get("organization_id").and_then(Cell::id)) {
            (Some(organization), Some(of)) => organization.0 != of,
            _ => false,
        };
        if elsewhere {
            return Err(missing());
        }
        Ok(row.get("id").cloned().unwrap_or(Cell::Null))
    }
}

fn note_workspace(found: &mut PathContext, cell: &Cell) -> Result<()> {
    let id = cell.id().ok_or_else(|| Problem::unknown("null", "workspace"))?;
    match found.workspace {
        Some(known) if known.0 != id => Err(Problem::bad("the workspace must be the one in the path")),
        _ => {
            found.workspace = Some(WorkspaceId(id));
            Ok(())
        }
    }
}
