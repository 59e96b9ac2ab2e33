//! What is special about single resources when they are written.

use entity::member::Role;
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::changes::{Changes, Method, conflict};
use super::document::Given;
use super::error::{Problem, Result};
use super::resource::Resource;
use super::session::{Found, Session};
use super::workspace_job;
use crate::bootstrap;
use crate::engine::{template, workspace};
use crate::secret;
use crate::store;
use crate::store::resource::{Cell, Kind, Row};

/// Words that clients send with a resource although they are no attributes of it.
pub(super) fn is_word(of: &Resource, name: &str) -> bool {
    of.kind == "job" && name == "command"
}

/// Values that clients send where they mean nothing.
pub(super) fn is_silent(of: &Resource, name: &str, value: &Value) -> bool {
    of.kind == "job" && name == "status" && (value.is_null() || value == "")
}

/// What happens before a new row is stored; a row where it is stored already.
pub(super) async fn create(
    of_session: &Session,
    tx: &DatabaseTransaction,
    of: &Resource,
    (found, given): (&Found, &Given),
    changes: &mut Changes,
) -> Result<Option<Row>> {
    match of.kind {
        "organization" => return organization(of_session, tx, changes).await.map(Some),
        "job" => return workspace_job::create(of_session, tx, found, given, changes).await.map(Some),
        "workspace" => changes.set("last_job_status", Kind::Text, Cell::Text("NeverExecuted".into())),
        "variable" | "globalvar" => variable(of_session, None, changes)?,
        "team" | "access" => legacy_right(given, changes),
        "template" => readable(changes)?,
        "schedule" => schedule(of_session, None, changes)?,
        "workspacetag" => tag(tx, found, changes).await?,
        "project" => name_key(changes),
        _ => {}
    }
    Ok(None)
}

/// What happens before a row is changed; true where it is changed already.
pub(super) async fn update(
    of_session: &Session,
    tx: &DatabaseTransaction,
    of: &Resource,
    found: &Found,
    row: &Row,
    changes: &mut Changes,
) -> Result<bool> {
    match of.kind {
        "job" => {
            workspace_job::update(of_session, tx, found, row, changes).await?;
            return Ok(true);
        }
        "workspace" if changes.get("deleted").is_some_and(Cell::is_true) => {
            if let Some(id) = found.workspace {
                workspace_job::end_all(of_session, tx, id).await?;
                store::workspace::disable_schedules(tx, id).await?;
            }
        }
        "variable" | "globalvar" => variable(of_session, Some(row), changes)?,
        "template" => readable(changes)?,
        "schedule" => schedule(of_session, Some(row), changes)?,
        "workspacetag" => tag(tx, found, changes).await?,
        "project" => name_key(changes),
        _ => {}
    }
    Ok(false)
}

/// What happens before a row is deleted; true where it is deleted already.
pub(super) async fn delete(of_session: &Session, tx: &DatabaseTransaction, of: &Resource, row: &Row) -> Result<bool> {
    match of.kind {
        "job" => workspace_job::delete(of_session, tx, row).await?,
        "workspace" => {
            if let Some(id) = row.get("id").and_then(Cell::id).map(entity::id::WorkspaceId) {
                workspace_job::end_all(of_session, tx, id).await?;
                let jobs = store::workspace::jobs(tx, id).await?.into_iter().map(|(id, _)| id).collect();
                store::workspace::expire_runs(tx, jobs, of_session.now).await?;
            }
        }
        _ => {}
    }
    Ok(false)
}

/// What follows a write that is stored.
pub(super) fn after(of_session: &Session, of: &Resource) {
    match of.kind {
        "job" | "schedule" | "workspace" => of_session.app.wake.now(),
        "organization" => of_session.app.authenticator.forget(),
        _ => {}
    }
}

/// A new organization with what each has; whoever makes it owns it.
async fn organization(of_session: &Session, tx: &DatabaseTransaction, changes: &Changes) -> Result<Row> {
    let person = of_session.caller.person().ok_or_else(|| Method::Create.denied())?;
    let name = changes.text("name").unwrap_or_default();
    let text = |column| changes.text(column);
    let row = entity::organization::Model {
        description: text("description"),
        execution_mode: text("execution_mode"),
        icon: text("icon"),
        disabled: changes.get("disabled").is_some_and(Cell::is_true),
        ..entity::organization::Model::new(&name, of_session.now)
    };
    let local = bootstrap::local_cluster(row.id, of_session.now);
    let row = store::organization::create(tx, row).await.map_err(conflict)?;
    store::person::add_member(tx, row.id, person, (Role::Owner, None), of_session.now).await?;
    store::cluster::create(tx, local).await?;
    bootstrap::templates(tx, row.id, of_session.now).await?;
    let mut made: Row = changes.0.iter().map(|(column, cell)| (column.name, cell.clone())).collect();
    made.insert("id", Cell::Id(row.id.0));
    Ok(made)
}

/// Seals the value of a sensitive variable. What was sealed is never opened for anybody: a variable that is not
/// sensitive any more needs a new value.
fn variable(of_session: &Session, row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let was = row.and_then(|row| row.get("sensitive")).is_some_and(Cell::is_true);
    let is = changes.get("sensitive").map_or(was, Cell::is_true);
    let value = match (changes.get("value"), row) {
        (Some(Cell::Text(value)), _) => Some(value.clone()),
        (Some(_), _) | (None, None) => None,
        // The value that is there becomes sensitive.
        (None, Some(row)) => {
            if is && !was {
                row.get("value").and_then(Cell::text).map(str::to_owned)
            } else {
                None
            }
        }
    };
    let id = changes.get("id").or(row.and_then(|row| row.get("id"))).and_then(Cell::id);
    match (is, value, id) {
        (true, Some(value), Some(id)) => {
            let sealed = of_session.app.keys.seal(&secret::place("terraform_variable", id), value.as_bytes())?;
            changes.set("sealed", Kind::Bytes, Cell::Bytes(sealed));
            changes.set("value", Kind::Text, Cell::Null);
        }
        // Clients that read a null write it back.
        (true, _, _) if row.is_some() => changes.0.retain(|(column, _)| column.name != "value"),
        (false, None, _) if was => {
            return Err(Problem::bad(
                "value must not be null: a variable that is not sensitive any more needs a new one",
            ));
        }
        (false, Some(_), _) if was => changes.set("sealed", Kind::Bytes, Cell::Null),
        _ => {}
    }
    Ok(())
}

/// Clients that know only of one right to manage jobs mean both that there are.
fn legacy_right(given: &Given, changes: &mut Changes) {
    let says = |name: &str| given.attributes.get(name).is_some_and(|value| !value.is_null());
    let manages = changes.get("manage_job").is_some_and(Cell::is_true);
    if manages && !says("planJob") && !says("approveJob") {
        changes.set("plan_job", Kind::Flag, Cell::Flag(true));
        changes.set("approve_job", Kind::Flag, Cell::Flag(true));
    }
}

/// A template that could not be run is refused when it is written.
fn readable(changes: &Changes) -> Result<()> {
    let Some(tcl) = changes.text("tcl") else { return Ok(()) };
    template::parse(&tcl).map(|_| ()).map_err(|refused| Problem::bad(format!("tcl: {}", refused.0)))
}

fn schedule(of_session: &Session, row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let kept = |column: &str| changes.get(column).or(row.and_then(|row| row.get(column))).cloned();
    let cron = kept("cron").and_then(|cell| cell.text().map(str::to_owned)).unwrap_or_default();
    let enabled = kept("enabled").is_none_or(|cell| cell.is_true());
    let next = workspace::next_time(&cron, of_session.now)?.filter(|_| enabled);
    changes.set("next_run_at", Kind::Time, next.map_or(Cell::Null, Cell::Time));
    Ok(())
}

/// A mark names a tag of the same organization.
async fn tag(tx: &DatabaseTransaction, found: &Found, changes: &Changes) -> Result<()> {
    let Some(Cell::Id(id)) = changes.get("tag_id") else { return Ok(()) };
    let tag = store::row::by_id::<entity::tag::Model>(tx, entity::id::TagId(*id)).await?;
    if tag.is_some_and(|tag| Some(tag.organization_id) == found.organization) {
        return Ok(());
    }
    Err(Problem::unknown(&id.to_string(), "tag"))
}

fn name_key(changes: &mut Changes) {
    if let Some(name) = changes.text("name") {
        changes.set("name_key", Kind::Text, Cell::Text(entity::name_key(&name)));
    }
}
