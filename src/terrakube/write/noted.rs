//! What a row is before a change and after it, for the event of the change.

use entity::id::{TerraformVariableId, WorkspaceId};
use entity::{terraform_variable, workspace};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

use crate::engine::workspace_event::{self, By, Part, kind};
use crate::store;
use crate::store::resource::{self, Cell, RowQuery};
use crate::terrakube::attribute::{Shape, Writer};
use crate::terrakube::attribute_value::to_json;
use crate::terrakube::error::Result;
use crate::terrakube::resource::Resource;
use crate::terrakube::session::Session;

/// A row as its event shows it.
pub(super) enum Noted {
    /// There is none, or none that events are about. Jobs have events of their own.
    Nothing,
    Workspace(Box<workspace::Model>),
    Variable(Box<terraform_variable::Model>),
    Part(Part, WorkspaceId, Value),
}

/// The part of a workspace that a resource is.
fn part_of(of: &Resource) -> Option<Part> {
    match of.kind {
        "schedule" => Some(Part::Schedule),
        "access" => Some(Part::Access),
        "workspacetag" => Some(Part::Tag),
        "webhook" | "webhook_event" => Some(Part::RepositoryWebhook),
        "history" => Some(Part::State),
        _ => None,
    }
}

impl Session {
    /// A row as it is now in the transaction.
    pub(super) async fn noted(&self, tx: &DatabaseTransaction, of: &'static Resource, id: &Cell) -> Result<Noted> {
        match (of.kind, id.id()) {
            ("workspace", Some(id)) => {
                let row = store::row::by_id::<workspace::Model>(tx, WorkspaceId(id)).await?;
                Ok(row.map_or(Noted::Nothing, |row| Noted::Workspace(Box::new(row))))
            }
            ("variable" | "globalvar", Some(id)) => {
                let row = store::row::by_id::<terraform_variable::Model>(tx, TerraformVariableId(id)).await?;
                Ok(row.map_or(Noted::Nothing, |row| Noted::Variable(Box::new(row))))
            }
            _ => match part_of(of) {
                Some(part) => self.noted_part(tx, of, (part, id)).await,
                None => Ok(Noted::Nothing),
            },
        }
    }

    async fn noted_part(
        &self,
        tx: &DatabaseTransaction,
        of: &'static Resource,
        (part, id): (Part, &Cell),
    ) -> Result<Noted> {
        let wanted = RowQuery {
            table: of.table,
            columns: of.columns(),
            filter: resource::is(of.table, of.id(), id),
            order: Vec::new(),
            offset: 0,
            limit: 1,
        };
        let Some(row) = resource::list(tx, wanted).await?.into_iter().next() else { return Ok(Noted::Nothing) };
        let Some(workspace) = row.get("workspace_id").and_then(Cell::id) else { return Ok(Noted::Nothing) };
        let server = self.app.public_url();
        let mut shown = Map::new();
        for attribute in of.attributes {
            let is_own = attribute.writer != Writer::Server || of.kind == "history";
            let is_hidden = matches!(attribute.shape, Shape::Secret(_) | Shape::Derived(_) | Shape::Always(_));
            // The text of a flow is too long for an event.
            if is_own && !is_hidden && attribute.name != "tcl" {
                shown.insert(attribute.name.to_owned(), to_json(attribute, &row, &server));
            }
        }
        Ok(Noted::Part(part, WorkspaceId(workspace), Value::Object(shown)))
    }

    /// Stores the event of a change.
    pub(super) async fn record(&self, tx: &DatabaseTransaction, before: Noted, after: Noted) -> Result<()> {
        let who = self.requester();
        let by = By { who: &who, at: self.now };
        match (before, after) {
            (Noted::Workspace(before), Noted::Workspace(after)) => {
                workspace_event::saved(tx, by, Some(&before), &after).await?;
            }
            (_, Noted::Workspace(after)) => workspace_event::saved(tx, by, None, &after).await?,
            (Noted::Workspace(before), _) => workspace_event::removed(tx, by, &before).await?,
            (Noted::Variable(before), Noted::Variable(after)) => {
                workspace_event::variable(tx, by, (Some(&before), Some(&after))).await?;
            }
            (_, Noted::Variable(after)) => workspace_event::variable(tx, by, (None, Some(&after))).await?,
            (Noted::Variable(before), _) => workspace_event::variable(tx, by, (Some(&before), None)).await?,
            (Noted::Part(part, of, before), Noted::Part(_, _, after)) => {
                record_part(tx, by, of, (kind::UPDATE, part), (Some(before), Some(after))).await?;
            }
            (Noted::Nothing, Noted::Part(part, of, after)) => {
                record_part(tx, by, of, (kind::CREATE, part), (None, Some(after))).await?;
            }
            (Noted::Part(part, of, before), Noted::Nothing) => {
                record_part(tx, by, of, (kind::DELETE, part), (Some(before), None)).await?;
            }
            (Noted::Nothing, Noted::Nothing) => {}
        }
        Ok(())
    }
}

async fn record_part(
    tx: &DatabaseTransaction,
    by: By<'_>,
    of: WorkspaceId,
    what: (&'static str, Part),
    values: (Option<Value>, Option<Value>),
) -> Result<()> {
    let Some(of) = store::row::by_id::<workspace::Model>(tx, of).await? else { return Ok(()) };
    Ok(workspace_event::part(tx, by, &of, what, values).await?)
}
