//! Special cases of single resources on writes.

use sea_orm::DatabaseTransaction;
use serde_json::Value;

use self::in_use::{refuse_protected, refuse_used_login};
use self::organization::organization;
use self::prepare::{
    check_cluster, check_folder, check_tag, check_teams, check_template, check_tool, names_tool, note_lock,
    set_name_key, set_next_run, split_legacy_right,
};
use self::schedule_rights::require_flow;
use self::terraform_variable::variable;
use self::webhook_rights::{forget_webhook, refuse_linked_webhook, webhook, webhook_event};
use crate::engine::{tool_version, workspace_removal};
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::document::ResourceObject;
use crate::terrakube::error::Result;
use crate::terrakube::path_context::PathContext;
use crate::terrakube::resource::Resource;
use crate::terrakube::session::Session;
use crate::terrakube::workspace_job;

mod in_use;
mod organization;
mod prepare;
mod registry_rows;
mod repository_login;
mod schedule_rights;
mod terraform_variable;
mod webhook_rights;

/// Whether clients send this key with the resource although it is not an attribute.
pub(in crate::terrakube) fn is_extra_attribute(of: &Resource, name: &str) -> bool {
    of.kind == "job" && name == "command"
}

/// Whether a value that clients send has no meaning and is ignored.
pub(in crate::terrakube) fn is_ignored_value(of: &Resource, name: &str, value: &Value) -> bool {
    of.kind == "job" && name == "status" && (value.is_null() || value == "")
}

/// Runs before a transaction is open, for what takes a while.
pub(super) async fn before(session: &Session, given: &ResourceObject) -> Result<()> {
    if names_tool(given) {
        tool_version::look(&session.app).await;
    }
    check_template(given)
}

/// Runs before a new row is stored. Returns the row if it has already been stored.
pub(in crate::terrakube) async fn create(
    session: &Session,
    tx: &DatabaseTransaction,
    of: &Resource,
    (found, given): (&PathContext, &ResourceObject),
    changes: &mut Changes,
) -> Result<Option<Row>> {
    match of.kind {
        "organization" => return organization(session, tx, changes).await.map(Some),
        "job" => return workspace_job::create(session, tx, found, given, changes).await.map(Some),
        "template" => check_teams(tx, found, changes).await?,
        "workspace" => {
            check_folder(changes)?;
            check_cluster(tx, found, None, changes).await?;
            check_tool(session, tx, found, None, changes).await?;
            refuse_linked_webhook(None, changes)?;
            note_lock(session, None, changes);
            changes.set("last_job_status", Kind::Text, Cell::Text("NeverExecuted".into()));
        }
        "variable" | "globalvar" => variable(session, tx, None, changes).await?,
        "team" | "access" => split_legacy_right(given, changes),
        "schedule" => {
            set_next_run(session, None, changes)?;
            require_flow(session, tx, found, None, changes).await?;
        }
        "webhook" => webhook(session, tx, found, None, changes).await?,
        "webhook_event" => webhook_event(session, tx, found, None, changes).await?,
        "workspacetag" => check_tag(tx, found, changes).await?,
        "project" => set_name_key(changes),
        "module" => registry_rows::module(session, None, changes)?,
        "provider" => registry_rows::provider(None, changes)?,
        _ => {}
    }
    Ok(None)
}

/// Runs before a row is updated. Returns true if the update is already done.
pub(in crate::terrakube) async fn update(
    session: &Session,
    tx: &DatabaseTransaction,
    of: &'static Resource,
    found: &PathContext,
    row: &Row,
    changes: &mut Changes,
) -> Result<bool> {
    if of.kind == "workspace" {
        check_folder(changes)?;
        // Locks the cluster, which comes before a workspace.
        check_cluster(tx, found, Some(row), changes).await?;
    }
    let row = &session.locked(tx, of, row).await?;
    if of.kind == "workspace" {
        check_tool(session, tx, found, Some(row), changes).await?;
        refuse_linked_webhook(Some(row), changes)?;
        note_lock(session, Some(row), changes);
    }
    match of.kind {
        "job" => {
            workspace_job::update(session, tx, found, row, changes).await?;
            return Ok(true);
        }
        "workspace" if changes.get("deleted").is_some_and(Cell::is_true) => {
            if let Some(id) = found.workspace {
                let by = &session.requester();
                workspace_removal::before_hiding(&session.app, tx, id, by, session.now).await?;
            }
        }
        "template" => check_teams(tx, found, changes).await?,
        "variable" | "globalvar" => variable(session, tx, Some(row), changes).await?,
        "vcs" => repository_login::vcs(tx, row, changes).await?,
        "ssh" => repository_login::ssh(tx, row, changes).await?,
        "schedule" => {
            set_next_run(session, Some(row), changes)?;
            require_flow(session, tx, found, Some(row), changes).await?;
        }
        "webhook" => webhook(session, tx, found, Some(row), changes).await?,
        "webhook_event" => webhook_event(session, tx, found, Some(row), changes).await?,
        "workspacetag" => check_tag(tx, found, changes).await?,
        "project" => set_name_key(changes),
        "module" => registry_rows::module(session, Some(row), changes)?,
        "provider" => registry_rows::provider(Some(row), changes)?,
        _ => {}
    }
    Ok(false)
}

/// Runs before a row is deleted. Returns true if it has already been deleted.
pub(in crate::terrakube) async fn delete(
    session: &Session,
    tx: &DatabaseTransaction,
    of: &Resource,
    row: &Row,
) -> Result<bool> {
    match of.kind {
        "job" => workspace_job::delete(session, tx, row).await?,
        "vcs" | "ssh" => refuse_used_login(tx, of, row).await?,
        "webhook" => forget_webhook(tx, row).await?,
        "history" => refuse_protected(tx, row).await?,
        "workspace" => {
            if let Some(id) = row.get("id").and_then(Cell::id).map(entity::id::WorkspaceId) {
                let by = &session.requester();
                workspace_removal::before_delete(&session.app, tx, id, by, session.now).await?;
            }
        }
        _ => {}
    }
    Ok(false)
}

/// Runs after a write has been committed.
pub(in crate::terrakube) fn after_write(session: &Session, of: &Resource) {
    match of.kind {
        "job" | "schedule" | "workspace" => session.app.wake.now(),
        "organization" | "team" | "access" => session.app.rights_changed(),
        _ => {}
    }
}
