//! The session of one request: the caller, what they may see, and loading rows along a path.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use poem::http::header;
use sea_orm::sea_query::{ExprTrait as _, Order, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};

use super::attribute_value::{parse_cell, row_id};
use super::error::{Problem, Result};
use super::filter::FilterContext;
use super::path::{PathItem, ResourcePath};
use super::path_context::{PathContext, belongs_to};
use super::request::check_address;
use super::resource::{Link, Relation, Resource, Visibility};
use crate::access::Caller;
use crate::access::reach::{self, Reach, Rights};
use crate::app::App;
use crate::engine::requester::Requester;
use crate::store::resource::{self, Cell, Column, Kind, Row, RowQuery};

/// The row limit of a request without a page.
pub(super) const MOST: u64 = 10_000;

/// The caller of a request and what they may see.
pub(super) struct Session {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    pub(super) reach: Reach,
    /// The time of the request.
    pub(super) now: DateTime<Utc>,
}

impl Session {
    /// Authenticates the caller of a request.
    pub(super) async fn of(app: &Arc<App>, request: &poem::Request) -> Result<Self> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let caller = app.authenticator.caller(text(header::AUTHORIZATION), text(header::USER_AGENT)).await?;
        check_address(request)?;
        Self::with(app, caller).await
    }

    /// Opens a session for an authenticated caller.
    pub(super) async fn with(app: &Arc<App>, caller: Caller) -> Result<Self> {
        let reach = reach::reach(&app.db, &caller).await?;
        Ok(Self { app: Arc::clone(app), caller, reach, now: app.clock.now() })
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.app.db.get_database_backend()
    }

    /// Who creates and changes rows: the email address of a person, the name of a token or a group.
    pub(super) fn author(&self) -> &str {
        self.caller.email().unwrap_or(self.caller.name())
    }

    /// In the form that events record.
    pub(super) fn requester(&self) -> Requester {
        Requester {
            name: self.caller.name().to_owned(),
            email: self.caller.email().map(str::to_owned),
            origin: self.caller.origin,
            user_agent: self.caller.user_agent.clone(),
        }
    }

    /// The context of filters and orders.
    pub(super) fn filter_context(&self) -> FilterContext<'_> {
        FilterContext { backend: self.backend(), visible: Box::new(|of| self.visible(of)) }
    }

    /// The condition that selects the rows visible to the caller.
    pub(super) fn visible(&self, of: &'static Resource) -> SimpleExpr {
        const ORGANIZATION: Column = Column { name: "organization_id", kind: Kind::Id };
        let organizations = |ids: Vec<OrganizationId>| ids.iter().map(|id| Cell::Id(id.0)).collect::<Vec<_>>();
        let within = |column: Column, ids: &[Cell]| {
            if ids.is_empty() { resource::constant(false) } else { resource::is_in(of.table, column, ids) }
        };
        let of_workspace = |column: &'static str| {
            let whole = within(ORGANIZATION, &organizations(self.reach.fully_visible()));
            let single: Vec<Cell> = self.reach.workspaces().iter().map(|id| Cell::Id(id.0)).collect();
            whole.or(within(Column { name: column, kind: Kind::Id }, &single))
        };
        let mut seen = vec![match of.visibility {
            Visibility::Organization => within(of.id(), &organizations(self.reach.visible())),
            Visibility::Shared => within(ORGANIZATION, &organizations(self.reach.visible())),
            Visibility::FullOrganization => within(ORGANIZATION, &organizations(self.reach.fully_visible())),
            Visibility::Workspace => of_workspace("id"),
            Visibility::OfWorkspace => of_workspace("workspace_id"),
        }];
        if let Some(hidden) = of.hidden {
            seen.push(resource::is(of.table, Column { name: hidden, kind: Kind::Flag }, &Cell::Flag(false)));
        }
        // Two resources share a table: workspace variables and global variables.
        let workspace = Column { name: "workspace_id", kind: Kind::Id };
        match of.kind {
            "globalvar" => seen.push(resource::is(of.table, workspace, &Cell::Null)),
            "variable" => seen.push(resource::is(of.table, workspace, &Cell::Null).not()),
            _ => {}
        }
        resource::all(seen)
    }

    /// The visible rows of a resource that match a condition.
    pub(super) async fn rows(
        &self,
        db: &impl ConnectionTrait,
        of: &'static Resource,
        filter: SimpleExpr,
    ) -> Result<Vec<Row>> {
        if !of.is_stored() {
            return Ok(Vec::new());
        }
        let wanted = RowQuery {
            table: of.table,
            columns: of.columns(),
            filter: self.visible(of).and(filter),
            order: vec![(resource::column(of.table, "id"), Order::Asc)],
            offset: 0,
            limit: MOST,
        };
        Ok(resource::list(db, wanted).await?)
    }

    /// A row as it is now, locked until the transaction ends. What a change does not name is taken from it: the row that was read before
    /// the transaction may be another one by now.
    pub(super) async fn locked(&self, tx: &DatabaseTransaction, of: &'static Resource, row: &Row) -> Result<Row> {
        let id = row.get("id").cloned().unwrap_or(Cell::Null);
        let filter = self.visible(of).and(resource::is(of.table, of.id(), &id));
        let locked = resource::lock(tx, of.table, &of.columns(), filter).await?;
        locked.ok_or_else(|| Problem::unknown(&row_id(row), of.kind))
    }

    /// A visible row by its id.
    pub(super) async fn by_id(
        &self,
        db: &impl ConnectionTrait,
        of: &'static Resource,
        id: &str,
        filter: SimpleExpr,
    ) -> Result<Row> {
        let cell = parse_cell(of.key, id);
        let cell = match cell {
            None => return Err(Problem::bad(format!("Invalid value: {id} is not an id of {}", of.kind))),
            Some(cell) => cell,
        };
        let filter = resource::is(of.table, of.id(), &cell).and(filter);
        let rows = self.rows(db, of, filter).await?;
        rows.into_iter().next().ok_or_else(|| Problem::unknown(id, of.kind))
    }

    /// Loads the rows along a path; each must belong to the one before it.
    pub(super) async fn walk(
        &self,
        db: &impl ConnectionTrait,
        resource_path: &ResourcePath<'_>,
    ) -> Result<PathContext> {
        let mut found = PathContext::default();
        for PathItem { resource, relation, id } in &resource_path.items {
            let hangs = match (&found.last, relation) {
                (Some((_, parent)), Some(relation)) => belongs_to(resource, relation, parent),
                _ => resource::constant(true),
            };
            let row = self.by_id(db, resource, id, hangs).await?;
            found.note(resource, row);
        }
        Ok(found)
    }

    /// The target of a to-one relationship.
    pub(super) async fn related(
        &self,
        found: &PathContext,
        target: &'static Resource,
        relation: &Relation,
    ) -> Result<Option<Row>> {
        let Some((_, row)) = &found.last else { return Ok(None) };
        let (Link::One(column) | Link::Maybe(column)) = relation.link else { return Ok(None) };
        let Some(cell) = row.get(column).filter(|cell| **cell != Cell::Null) else { return Ok(None) };
        let rows = self.rows(&self.app.db, target, resource::is(target.table, target.id(), cell)).await?;
        Ok(rows.into_iter().next())
    }

    /// The rights of the caller at the end of a path.
    pub(super) fn rights(&self, found: &PathContext) -> Rights {
        match (found.organization, found.workspace) {
            (Some(organization), Some(workspace)) => self.reach.in_workspace(organization, workspace),
            (Some(organization), None) => self.reach.in_organization(organization),
            (None, _) => Rights::default(),
        }
    }

    /// Checks that the rights of the caller allow changes of a resource.
    pub(super) fn require(&self, found: &PathContext, of: &'static Resource, what: &str) -> Result<()> {
        if (of.needs)(self.rights(found)) { Ok(()) } else { Err(Problem::denied(what)) }
    }
}
