//! POST, PATCH and DELETE for all resources. `special` handles the exceptions.

use poem::Response;
use poem::http::StatusCode;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::store;
use crate::store::resource::{self, Cell, Kind, Row};
use crate::terrakube::attribute_value::row_id;
use crate::terrakube::changes::{WriteMethod, conflict};
use crate::terrakube::document::{ResourceObject, require_kind};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path::{End, ResourcePath};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::resource::{Link, Relation, Resource};
use crate::terrakube::response::document_response;
use crate::terrakube::session::Session;
use crate::terrakube::special;

mod attributes;
mod members;
mod noted;
mod relationships;

pub(super) use self::members::MemberChange;
use self::noted::Noted;

impl Session {
    /// Handles a POST to a collection.
    pub(in crate::terrakube) async fn post(
        &self,
        resource_path: &ResourcePath<'_>,
        given: ResourceObject,
    ) -> Result<Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        let (of, relation) = match resource_path.end {
            End::Collection(of, relation) => (of, relation),
            End::Related(of, relation) if of.is_only_child() => (of, Some(relation)),
            _ => {
                return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a resource must be created in a collection"));
            }
        };
        require_kind(&given.kind, of)?;
        special::before(self, &given).await?;
        let created =
            store::write(&self.app.db, async |tx| self.create(tx, of, relation, &found, &given, None).await).await?;
        special::after_write(self, of);
        let row = self.by_id(&self.app.db, of, &row_id(&created), resource::constant(true)).await;
        // The new resource is visible to its creator, unless it was created hidden.
        let body = self.created_document(of, row.unwrap_or(created)).await?;
        Ok(document_response(StatusCode::CREATED, &body))
    }

    /// Stores a new resource. Atomic operations may choose its id.
    pub(in crate::terrakube) async fn create(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        relation: Option<&Relation>,
        found: &PathContext,
        given: &ResourceObject,
        id: Option<Uuid>,
    ) -> Result<Row> {
        if let Some(refusal) = of.refusal {
            if found.organization.is_some() {
                self.require(found, of, "CreatePermission")?;
            }
            return Err(Problem::bad(refusal));
        }
        if !of.methods.create {
            return Err(WriteMethod::Create.denied());
        }
        let mut changes = self.attributes(of, &given.attributes, None)?;
        let mut found = found.clone();
        self.set_relationships(tx, of, relation, &mut found, given, &mut changes).await?;
        if of.kind != "organization" {
            self.require(&found, of, "CreatePermission")?;
        }
        let id = Cell::Id(id.unwrap_or_else(Uuid::now_v7));
        changes.set("id", Kind::Id, id.clone());
        self.stamp(of, &mut changes, WriteMethod::Create);
        if let Some(row) = special::create(self, tx, of, (&found, given), &mut changes).await? {
            return Ok(row);
        }
        self.seal(of, &id, &mut changes)?;
        if changes.get("organization_id").is_none_or(|cell| *cell == Cell::Null) {
            return Err(Problem::bad(format!("{} must be created below an organization", of.kind)));
        }
        resource::create(tx, of.table, &changes.0).await.map_err(conflict)?;
        let after = self.noted(tx, of, &id).await?;
        self.record(tx, Noted::Nothing, after).await?;
        Ok(changes.0.into_iter().map(|(column, cell)| (column.name, cell)).collect())
    }

    /// Handles a PATCH of a resource.
    pub(in crate::terrakube) async fn patch(
        &self,
        resource_path: &ResourcePath<'_>,
        given: ResourceObject,
    ) -> Result<Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        let (of, row) = self.at_item(resource_path, &found)?;
        require_kind(&given.kind, of)?;
        if given.id.as_deref() != Some(row_id(&row).as_str()) {
            let text = "Bad Request Body'Id in response body does not match requested id to update from path'";
            return Err(Problem::bad(text));
        }
        special::before(self, &given).await?;
        store::write(&self.app.db, async |tx| self.update(tx, of, &found, &row, &given).await).await?;
        special::after_write(self, of);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }

    /// Updates a resource.
    pub(in crate::terrakube) async fn update(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        found: &PathContext,
        row: &Row,
        given: &ResourceObject,
    ) -> Result<()> {
        if !of.methods.update {
            return Err(WriteMethod::Update.denied_for(of));
        }
        self.require(found, of, "UpdatePermission")?;
        let mut changes = self.attributes(of, &given.attributes, Some(row))?;
        let mut within = found.clone();
        let mut given = given.clone();
        for relation in of.relations.iter().filter(|relation| matches!(relation.link, Link::Many(_))) {
            let Some(linkage) = given.relationships.remove(relation.name) else { continue };
            self.change_members(tx, relation, found, MemberChange::Replace, &linkage).await?;
        }
        self.set_relationships(tx, of, None, &mut within, &given, &mut changes).await?;
        if within.workspace != found.workspace {
            return Err(Problem::bad("the workspace of a resource must not change"));
        }
        self.stamp(of, &mut changes, WriteMethod::Update);
        if special::update(self, tx, of, found, row, &mut changes).await? {
            return Ok(());
        }
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        self.seal(of, &id, &mut changes)?;
        let before = self.noted(tx, of, &id).await?;
        let changed =
            resource::update(tx, of.table, &changes.0, resource::is(of.table, of.id(), &id)).await.map_err(conflict)?;
        if changed == 0 {
            return Err(Problem::unknown(&row_id(row), of.kind));
        }
        let after = self.noted(tx, of, &id).await?;
        self.record(tx, before, after).await
    }

    /// Handles a DELETE of a resource.
    pub(in crate::terrakube) async fn delete(&self, resource_path: &ResourcePath<'_>) -> Result<Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        let (of, row) = self.at_item(resource_path, &found)?;
        store::write(&self.app.db, async |tx| self.remove(tx, of, &found, &row).await).await?;
        special::after_write(self, of);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }

    /// Deletes a resource.
    pub(in crate::terrakube) async fn remove(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        found: &PathContext,
        row: &Row,
    ) -> Result<()> {
        if !of.methods.delete {
            return Err(of.refusal.map_or_else(|| Problem::denied("DeletePermission"), Problem::bad));
        }
        self.require(found, of, "DeletePermission")?;
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        let before = self.noted(tx, of, &id).await?;
        if special::delete(self, tx, of, row).await? {
            return Ok(());
        }
        resource::delete(tx, of.table, resource::is(of.table, of.id(), &id)).await.map_err(conflict)?;
        self.record(tx, before, Noted::Nothing).await
    }

    fn at_item(&self, resource_path: &ResourcePath<'_>, found: &PathContext) -> Result<(&'static Resource, Row)> {
        match (resource_path.end, &found.last) {
            (End::Item, Some((of, row))) => Ok((of, row.clone())),
            _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "only a single resource can be changed or deleted")),
        }
    }
}
