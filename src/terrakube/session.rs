//! One request: who calls, what they may see, and the rows on the way to what they ask for.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, WorkspaceId};
use poem::http::{StatusCode, header};
use sea_orm::sea_query::{ExprTrait as _, Order, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend};

use super::document::parsed;
use super::error::{Problem, Result};
use super::path::{End, Place, Way};
use super::resource::{Link, Relation, Resource, Scope, link_column};
use crate::access::Caller;
use crate::access::team::{self, Reach, Rights};
use crate::app::App;
use crate::store::resource::{self, Cell, Column, Kind, Row, RowQuery};

/// The most rows that are read where no page is asked for.
pub(super) const MOST: u64 = 10_000;

/// Who calls, and what they may see.
pub(super) struct Session {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    pub(super) reach: Reach,
    /// Of the request.
    pub(super) now: DateTime<Utc>,
}

/// Where a path has led to.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The last row on the way, and what it is.
    pub(super) last: Option<(&'static Resource, Row)>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) workspace: Option<WorkspaceId>,
}

impl Session {
    /// Knows the caller of a request.
    pub(super) async fn of(app: &Arc<App>, request: &poem::Request) -> Result<Self> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let caller = app.authenticator.caller(text(header::AUTHORIZATION), text(header::USER_AGENT)).await?;
        Self::with(app, caller).await
    }

    /// Of a caller who is known.
    pub(super) async fn with(app: &Arc<App>, caller: Caller) -> Result<Self> {
        let reach = team::reach(&app.db, &caller).await?;
        Ok(Self { app: Arc::clone(app), caller, reach, now: app.clock.now() })
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.app.db.get_database_backend()
    }

    /// The condition that leaves rows that the caller may see.
    pub(super) fn visible(&self, of: &'static Resource) -> SimpleExpr {
        const ORGANIZATION: Column = Column { name: "organization_id", kind: Kind::Id };
        let organizations = |ids: Vec<OrganizationId>| ids.iter().map(|id| Cell::Id(id.0)).collect::<Vec<_>>();
        let within = |column: Column, ids: &[Cell]| {
            if ids.is_empty() { resource::constant(false) } else { resource::is_in(of.table, column, ids) }
        };
        let of_workspace = |column: &'static str| {
            let whole = within(ORGANIZATION, &organizations(self.reach.whole()));
            let single: Vec<Cell> = self.reach.single().iter().map(|id| Cell::Id(id.0)).collect();
            whole.or(within(Column { name: column, kind: Kind::Id }, &single))
        };
        let mut seen = vec![match of.scope {
            Scope::Organization => within(of.id(), &organizations(self.reach.known())),
            Scope::Shared => within(ORGANIZATION, &organizations(self.reach.known())),
            Scope::Whole => within(ORGANIZATION, &organizations(self.reach.whole())),
            Scope::Workspace => of_workspace("id"),
            Scope::OfWorkspace => of_workspace("workspace_id"),
        }];
        if let Some(hidden) = of.hidden {
            seen.push(resource::is(of.table, Column { name: hidden, kind: Kind::Flag }, &Cell::Flag(false)));
        }
        // Two resources share a table: variables of a workspace, and those of all.
        let workspace = Column { name: "workspace_id", kind: Kind::Id };
        match of.kind {
            "globalvar" => seen.push(resource::is(of.table, workspace, &Cell::Null)),
            "variable" => seen.push(resource::is(of.table, workspace, &Cell::Null).not()),
            _ => {}
        }
        resource::all(seen)
    }

    /// The rows of a resource for which a condition holds and that the caller may see.
    pub(super) async fn rows(
        &self,
        db: &impl ConnectionTrait,
        of: &'static Resource,
        filter: SimpleExpr,
    ) -> Result<Vec<Row>> {
        let wanted = RowQuery {
            table: of.table,
            columns: of.columns(),
            filter: self.visible(of).and(filter),
            order: vec![("id", Order::Asc)],
            offset: 0,
            limit: MOST,
        };
        Ok(resource::list(db, wanted).await?)
    }

    /// A row by its id.
    pub(super) async fn by_id(
        &self,
        db: &impl ConnectionTrait,
        of: &'static Resource,
        id: &str,
        filter: SimpleExpr,
    ) -> Result<Row> {
        let cell = parsed(of.key, id);
        let cell = match (cell, of.key) {
            (None, Kind::Number) => return Err(Problem::bad(format!("Invalid value: {id}"))),
            (None, _) => return Err(Problem::unknown(id, of.kind)),
            (Some(cell), _) => cell,
        };
        let filter = resource::is(of.table, of.id(), &cell).and(filter);
        let rows = self.rows(db, of, filter).await?;
        rows.into_iter().next().ok_or_else(|| Problem::unknown(id, of.kind))
    }

    /// Goes along a path; every place has to hang on the one before it.
    pub(super) async fn walk(&self, db: &impl ConnectionTrait, way: &Way<'_>) -> Result<Found> {
        let mut found = Found::default();
        for Place { resource, relation, id } in &way.places {
            let hangs = match (&found.last, relation) {
                (Some((_, parent)), Some(relation)) => hangs_on(resource, relation, parent),
                _ => resource::constant(true),
            };
            let row = self.by_id(db, resource, id, hangs).await?;
            found.note(resource, row);
        }
        Ok(found)
    }

    /// What a relationship to one leads to.
    pub(super) async fn related(
        &self,
        found: &Found,
        target: &'static Resource,
        relation: &Relation,
    ) -> Result<Option<Row>> {
        let Some((_, row)) = &found.last else { return Ok(None) };
        let (Link::One(column) | Link::Maybe(column)) = relation.link else { return Ok(None) };
        let Some(cell) = row.get(column).filter(|cell| **cell != Cell::Null) else { return Ok(None) };
        let rows = self.rows(&self.app.db, target, resource::is(target.table, target.id(), cell)).await?;
        Ok(rows.into_iter().next())
    }

    /// What the caller may do where a path has led to.
    pub(super) fn rights(&self, found: &Found) -> Rights {
        match (found.organization, found.workspace) {
            (Some(organization), Some(workspace)) => self.reach.in_workspace(organization, workspace),
            (Some(organization), None) => self.reach.in_organization(organization),
            (None, _) => Rights::default(),
        }
    }

    /// Refuses what the rights on the way do not allow.
    pub(super) fn require(&self, found: &Found, of: &'static Resource, what: &str) -> Result<()> {
        if (of.needs)(self.rights(found)) { Ok(()) } else { Err(Problem::denied(what)) }
    }
}

/// The condition that a row hangs on another one by a relationship of that.
pub(super) fn hangs_on(target: &'static Resource, relation: &Relation, parent: &Row) -> SimpleExpr {
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
    }
}

impl Found {
    fn note(&mut self, of: &'static Resource, row: Row) {
        let id = row.get("id").and_then(Cell::id);
        match of.scope {
            Scope::Organization => self.organization = id.map(OrganizationId),
            Scope::Workspace => self.workspace = id.map(WorkspaceId),
            Scope::Shared | Scope::Whole | Scope::OfWorkspace => {}
        }
        if let Some(id) = row.get("organization_id").and_then(Cell::id) {
            self.organization = Some(OrganizationId(id));
        }
        if let Some(id) = row.get("workspace_id").and_then(Cell::id) {
            self.workspace = Some(WorkspaceId(id));
        }
        self.last = Some((of, row));
    }

    /// The parent of a collection.
    pub(super) fn parent(&self) -> Option<&Row> {
        self.last.as_ref().map(|(_, row)| row)
    }
}

/// The condition of a collection at the end of a way.
pub(super) fn of_end(end: End, found: &Found) -> SimpleExpr {
    match (end, found.parent()) {
        (End::Collection(resource, Some(relation)), Some(parent)) => hangs_on(resource, relation, parent),
        _ => resource::constant(true),
    }
}

/// An answer of this face.
pub(super) fn answer(status: StatusCode, body: &serde_json::Value) -> poem::Response {
    poem::Response::builder().status(status).content_type(super::error::MEDIA).body(body.to_string())
}
