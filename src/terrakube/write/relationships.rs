//! Writing relationships, as part of a resource or by their own URL.

use entity::id::{OrganizationId, WorkspaceId};
use poem::Response;
use poem::http::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;

use crate::store::resource::{self, Cell, Kind};
use crate::terrakube::changes::{Changes, WriteMethod};
use crate::terrakube::document::{Linkage, Reference, ResourceObject, require_kind};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path::{End, ResourcePath};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::resource::{Link, Relation, Resource, link_column};
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
                    if column == "organization_id" && found.organization.is_none() {
                        found.organization = cell.id().map(OrganizationId);
                    }
                    if column != "organization_id" {
                        changes.set(column, link_column(known, column).kind, cell);
                    }
                }
                // A to-many relationship is stored in its target rows.
                (Link::Many(_), Linkage::Many(list)) if list.is_empty() => {}
                (Link::Many(_), _) => {
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

    /// Resolves a to-one linkage. The target must be visible to the caller and belong to the same organization.
    async fn resolve_linkage(
        &self,
        db: &impl ConnectionTrait,
        relation: &Relation,
        to: Option<&Reference>,
        found: &PathContext,
    ) -> Result<Cell> {
        let Some(target) = tables::target(relation) else { return Ok(Cell::Null) };
        let Some(reference) = to else {
            return match relation.link {
                Link::Maybe(_) => Ok(Cell::Null),
                Link::One(_) | Link::Many(_) => Err(Problem::unknown("null", target.kind)),
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

    /// Handles a PATCH, POST or DELETE of a relationship.
    pub(in crate::terrakube) async fn write_relationship(
        &self,
        resource_path: &ResourcePath<'_>,
        method: &poem::http::Method,
        data: &Value,
    ) -> Result<Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        let (End::Relationship(relation), Some((of, row))) = (resource_path.end, &found.last) else {
            return Err(Problem::bad("the path does not name a relationship"));
        };
        let (Link::Maybe(column), true) = (relation.link, method == poem::http::Method::PATCH) else {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("UpdatePermission Denied: {} is read-only here; set it on the related resource", relation.name),
            ));
        };
        self.require(&found, of, "UpdatePermission")?;
        let Linkage::One(reference) = crate::terrakube::document::parse_linkage(data)? else {
            return Err(Problem::bad(format!("Bad Request Body'{} must be a single resource'", relation.name)));
        };
        let cell = self.resolve_linkage(&self.app.db, relation, reference.as_ref(), &found).await?;
        let mut changes = Changes::default();
        changes.set(column, Kind::Id, cell);
        self.stamp(of, &mut changes, WriteMethod::Update);
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        resource::update(&self.app.db, of.table, &changes.0, resource::is(of.table, of.id(), &id)).await?;
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
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
