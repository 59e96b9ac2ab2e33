//! POST, PATCH and DELETE: one path for all resources; what is special about one of them is in `special`.

use entity::id::{OrganizationId, WorkspaceId};
use poem::Response;
use poem::http::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;
use uuid::Uuid;

use super::changes::{Changes, Method, conflict};
use super::document::{Given, Linkage, Reference, cell, id_of, parsed, require_kind};
use super::error::{Problem, Result};
use super::path::{End, Way};
use super::resource::{Attribute, Fallback, Link, Relation, Resource, Shape, Write, link_column};
use super::session::{Found, Session, answer};
use super::{special, tables};
use crate::secret;
use crate::store;
use crate::store::resource::{self, Cell, Kind, Row};

impl Method {
    pub(super) fn denied(self) -> Problem {
        Problem::denied(match self {
            Self::Create => "CreatePermission",
            Self::Update => "UpdatePermission",
        })
    }
}

impl Session {
    /// Answers a POST to a collection.
    pub(super) async fn post(&self, way: &Way<'_>, given: Given) -> Result<Response> {
        let found = self.walk(&self.app.db, way).await?;
        let End::Collection(of, relation) = way.end else {
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a resource is made in a collection"));
        };
        require_kind(&given.kind, of)?;
        let created =
            store::write(&self.app.db, async |tx| self.create(tx, of, relation, &found, &given, None).await).await?;
        special::after(self, of);
        let row = self.by_id(&self.app.db, of, &id_of(&created), resource::constant(true)).await;
        // Whoever made it may see it, but for what hides itself at once.
        let body = self.made(of, row.unwrap_or(created)).await?;
        Ok(answer(StatusCode::CREATED, &body))
    }

    /// Stores a new resource; with an id of its own where the operation gives it one.
    pub(super) async fn create(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        relation: Option<&Relation>,
        found: &Found,
        given: &Given,
        id: Option<Uuid>,
    ) -> Result<Row> {
        if !of.methods.create {
            return Err(Method::Create.denied());
        }
        let mut changes = self.attributes(of, &given.attributes, Method::Create)?;
        let mut found = found.clone();
        self.linked(tx, of, relation, &mut found, given, &mut changes).await?;
        if of.kind != "organization" {
            self.require(&found, of, "CreatePermission")?;
        }
        let id = Cell::Id(id.unwrap_or_else(Uuid::now_v7));
        changes.set("id", Kind::Id, id.clone());
        self.stamp(of, &mut changes, Method::Create);
        if let Some(row) = special::create(self, tx, of, (&found, given), &mut changes).await? {
            return Ok(row);
        }
        self.seal(of, &id, &mut changes)?;
        if changes.get("organization_id").is_none_or(|cell| *cell == Cell::Null) {
            return Err(Problem::bad(format!("{} belongs to an organization: make it below one", of.kind)));
        }
        resource::create(tx, of.table, &changes.0).await.map_err(conflict)?;
        Ok(changes.0.into_iter().map(|(column, cell)| (column.name, cell)).collect())
    }

    /// The attributes that were given, and for a new row those that were not.
    fn attributes(&self, of: &Resource, given: &serde_json::Map<String, Value>, method: Method) -> Result<Changes> {
        let mut changes = Changes::default();
        for (name, value) in given {
            let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Unknown attribute {name} in {}", of.kind));
            let Some(attribute) = of.attribute(name) else {
                if special::is_word(of, name) {
                    continue;
                }
                return Err(unknown());
            };
            let privileged =
                attribute.write == Write::Server || (attribute.write == Write::Once && method == Method::Update);
            // Clients send all that they know: nothing is as if it were not there.
            let empty = value.is_null() || value == "";
            let once = attribute.write == Write::Once && empty;
            if (privileged && empty) || (once && attribute.fallback.is_some()) || special::is_silent(of, name, value) {
                continue;
            }
            if privileged {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    format!("{}: {name} is not yours to write", method.denied().detail),
                ));
            }
            let Some(column) = attribute.shape.column() else { continue };
            let cell = match cell(attribute, value)? {
                Cell::Null => fallback(attribute).ok_or_else(|| missing(name))?,
                cell => cell,
            };
            changes.set(column.name, column.kind, cell);
        }
        if method == Method::Create {
            for attribute in of.attributes() {
                let Some(column) = attribute.shape.column() else { continue };
                if changes.get(column.name).is_none() {
                    let cell = match fallback(attribute) {
                        Some(cell) => cell,
                        None if attribute.write == Write::Server => Cell::Null,
                        None => return Err(missing(attribute.name)),
                    };
                    changes.set(column.name, column.kind, cell);
                }
            }
        }
        let empty = |name: &str| changes.text(name).is_some_and(|text| text.trim().is_empty());
        for name in ["name", "key"] {
            if empty(name) {
                return Err(Problem::bad(format!("Invalid value:  for {name}: it is empty")));
            }
        }
        Ok(changes)
    }

    /// Notes what a resource belongs to: what its path says, and its relationships to one.
    async fn linked(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        relation: Option<&Relation>,
        found: &mut Found,
        given: &Given,
        changes: &mut Changes,
    ) -> Result<()> {
        for (name, linkage) in &given.relationships {
            let known = of.relation(name);
            let known = known.ok_or_else(|| {
                Problem::new(StatusCode::NOT_FOUND, format!("Unknown attribute {name} in {}", of.kind))
            })?;
            match (known.link, linkage) {
                (Link::One(column) | Link::Maybe(column), Linkage::One(reference)) => {
                    let cell = self.linkage(tx, known, reference.as_ref(), found).await?;
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
                // What leads to others is written at those.
                (Link::Many(_), Linkage::Many(list)) if list.is_empty() => {}
                (Link::Many(_), _) => return Err(Problem::bad(format!("{name} is written at what it leads to"))),
                (_, Linkage::Many(_)) => return Err(Problem::bad(format!("Bad Request Body'{name} leads to one'"))),
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

    /// What a relationship to one is set to: something that is there, that the caller sees, and of the same organization.
    async fn linkage(
        &self,
        db: &impl ConnectionTrait,
        relation: &Relation,
        to: Option<&Reference>,
        found: &Found,
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

    fn stamp(&self, of: &Resource, changes: &mut Changes, method: Method) {
        let name = || Cell::Text(self.caller.name().to_owned());
        if method == Method::Create {
            changes.set("created_at", Kind::Time, Cell::Time(self.now));
        }
        changes.set("updated_at", Kind::Time, Cell::Time(self.now));
        if of.audited {
            if method == Method::Create {
                changes.set("created_by", Kind::Text, name());
            }
            changes.set("updated_by", Kind::Text, name());
        }
    }

    /// Seals what is secret, for the row that it is of.
    pub(super) fn seal(&self, of: &Resource, id: &Cell, changes: &mut Changes) -> Result<()> {
        let Some(id) = id.id() else { return Ok(()) };
        let secrets = of.attributes().filter_map(|attribute| match attribute.shape {
            Shape::Secret(column) => Some(column),
            _ => None,
        });
        for column in secrets {
            if let Some(Cell::Bytes(plain)) = changes.get(column) {
                let sealed = self.app.keys.seal(&secret::place(of.table, id), plain)?;
                changes.set(column, Kind::Bytes, Cell::Bytes(sealed));
            }
        }
        Ok(())
    }

    /// Answers a PATCH of a resource.
    pub(super) async fn patch(&self, way: &Way<'_>, given: Given) -> Result<Response> {
        let found = self.walk(&self.app.db, way).await?;
        let (of, row) = self.at_item(way, &found)?;
        require_kind(&given.kind, of)?;
        if given.id.as_deref() != Some(id_of(&row).as_str()) {
            let text = "Bad Request Body'Id in response body does not match requested id to update from path'";
            return Err(Problem::bad(text));
        }
        store::write(&self.app.db, async |tx| self.update(tx, of, &found, &row, &given).await).await?;
        special::after(self, of);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }

    /// Changes a resource.
    pub(super) async fn update(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        found: &Found,
        row: &Row,
        given: &Given,
    ) -> Result<()> {
        if !of.methods.update {
            return Err(Method::Update.denied());
        }
        self.require(found, of, "UpdatePermission")?;
        let mut changes = self.attributes(of, &given.attributes, Method::Update)?;
        let mut within = found.clone();
        self.linked(tx, of, None, &mut within, given, &mut changes).await?;
        if within.workspace != found.workspace {
            return Err(Problem::bad("a resource stays with its workspace"));
        }
        self.stamp(of, &mut changes, Method::Update);
        if special::update(self, tx, of, found, row, &mut changes).await? {
            return Ok(());
        }
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        self.seal(of, &id, &mut changes)?;
        let changed =
            resource::update(tx, of.table, &changes.0, resource::is(of.table, of.id(), &id)).await.map_err(conflict)?;
        if changed == 0 { Err(Problem::unknown(&id_of(row), of.kind)) } else { Ok(()) }
    }

    /// Answers a DELETE of a resource.
    pub(super) async fn delete(&self, way: &Way<'_>) -> Result<Response> {
        let found = self.walk(&self.app.db, way).await?;
        let (of, row) = self.at_item(way, &found)?;
        store::write(&self.app.db, async |tx| self.remove(tx, of, &found, &row).await).await?;
        special::after(self, of);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }

    /// Deletes a resource.
    pub(super) async fn remove(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        found: &Found,
        row: &Row,
    ) -> Result<()> {
        if !of.methods.delete {
            return Err(Problem::denied("DeletePermission"));
        }
        self.require(found, of, "DeletePermission")?;
        if special::delete(self, tx, of, row).await? {
            return Ok(());
        }
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        resource::delete(tx, of.table, resource::is(of.table, of.id(), &id)).await.map_err(conflict)?;
        Ok(())
    }

    fn at_item(&self, way: &Way<'_>, found: &Found) -> Result<(&'static Resource, Row)> {
        match (way.end, &found.last) {
            (End::Item, Some((of, row))) => Ok((of, row.clone())),
            _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "only one resource can be changed or deleted")),
        }
    }

    /// Answers a PATCH, POST or DELETE of a relationship.
    pub(super) async fn relate(&self, way: &Way<'_>, method: &poem::http::Method, data: &Value) -> Result<Response> {
        let found = self.walk(&self.app.db, way).await?;
        let (End::Relationship(relation), Some((of, row))) = (way.end, &found.last) else {
            return Err(Problem::bad("the path names no relationship"));
        };
        let (Link::Maybe(column), true) = (relation.link, method == poem::http::Method::PATCH) else {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("UpdatePermission Denied: {} is written at what it leads to", relation.name),
            ));
        };
        self.require(&found, of, "UpdatePermission")?;
        let Linkage::One(reference) = super::document::linkage(data)? else {
            return Err(Problem::bad(format!("Bad Request Body'{} leads to one'", relation.name)));
        };
        let cell = self.linkage(&self.app.db, relation, reference.as_ref(), &found).await?;
        let mut changes = Changes::default();
        changes.set(column, Kind::Id, cell);
        self.stamp(of, &mut changes, Method::Update);
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        resource::update(&self.app.db, of.table, &changes.0, resource::is(of.table, of.id(), &id)).await?;
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }
}

fn note_workspace(found: &mut Found, cell: &Cell) -> Result<()> {
    let id = cell.id().ok_or_else(|| Problem::unknown("null", "workspace"))?;
    match found.workspace {
        Some(known) if known.0 != id => Err(Problem::bad("the workspace is not the one of the path")),
        _ => {
            found.workspace = Some(WorkspaceId(id));
            Ok(())
        }
    }
}

fn fallback(attribute: &Attribute) -> Option<Cell> {
    match attribute.fallback? {
        Fallback::Null => Some(Cell::Null),
        Fallback::Flag(flag) => Some(Cell::Flag(flag)),
        Fallback::Text(text) => parsed(Kind::Text, text),
    }
}

fn missing(name: &str) -> Problem {
    Problem::bad(format!("{name} must not be null"))
}
