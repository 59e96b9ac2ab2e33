//! Webhooks of repositories: what they follow, and whose rights their jobs act with.

use entity::id::{WorkspaceId, WorkspaceWebhookId};
use sea_orm::DatabaseTransaction;

use crate::access::principal;
use crate::engine::push::webhook_setting::{
    Followed, check_followed, check_poll, check_secret, next_poll, require_room, require_template,
};
use crate::secret;
use crate::store;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::session::Session;

fn workspace_of(found: &PathContext) -> Result<WorkspaceId> {
    found.workspace.ok_or_else(|| Problem::bad("relationships.workspace must not be null"))
}

/// Checks a webhook, which a workspace has one of. One without a secret gets a random one.
pub(super) async fn webhook(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: Option<&Row>,
    changes: &mut Changes,
) -> Result<()> {
    let of = workspace_of(found)?;
    let id = changes.get("id").or(row.and_then(|row| row.get("id"))).and_then(Cell::id).map(WorkspaceWebhookId);
    let id = id.ok_or_else(|| Problem::bad("a webhook has no id"))?;
    match changes.get("secret") {
        Some(Cell::Bytes(plain)) => check_secret(&String::from_utf8_lossy(plain))?,
        _ if row.is_none() => {
            let random = secret::new_ping_key()?;
            changes.set("secret", Kind::Bytes, Cell::Bytes(random.expose().as_bytes().to_vec()));
        }
        // The present one stays: clients write back the null that they have read.
        _ => changes.0.retain(|(column, _)| column.name != "secret"),
    }
    if let Some(seconds) = changes.get("poll_seconds").cloned() {
        let seconds = seconds.number();
        check_poll(seconds)?;
        let next = seconds.map(|seconds| next_poll(id, seconds, session.now));
        changes.set("next_poll_at", Kind::Time, next.map_or(Cell::Null, Cell::Time));
    }
    if row.is_none() {
        let exists = store::push::of_workspace(tx, of).await?.is_some();
        if exists {
            let text = "the workspace has a webhook already; change its events instead";
            return Err(Problem::new(poem::http::StatusCode::CONFLICT, text));
        }
        changes.set("principal", Kind::Text, Cell::Text(principal::stored(&session.caller)));
        store::push::set_of_workspace(tx, of, Some(id)).await?;
    }
    Ok(())
}

/// Whoever creates or changes what a webhook starts needs the rights for it, and stands behind its jobs from then on.
pub(super) async fn webhook_event(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: Option<&Row>,
    changes: &mut Changes,
) -> Result<()> {
    let kept = |column: &str| changes.get(column).or(row.and_then(|row| row.get(column))).cloned();
    let text = |column: &str| kept(column).and_then(|cell| cell.text().map(str::to_owned)).unwrap_or_default();
    let is_on = |column: &str| kept(column).is_some_and(|cell| cell.is_true());
    let (event, branch, path, path_type) = (text("event"), text("branch"), text("path"), text("path_type"));
    check_followed(&Followed {
        event: &event,
        branch: &branch,
        path: &path,
        path_type: &path_type,
        pr_workflow: is_on("pr_workflow_enabled"),
        pr_apply: is_on("pr_apply_enabled"),
    })?;
    let id = kept("webhook_id").and_then(|cell| cell.id()).map(WorkspaceWebhookId);
    let id = id.ok_or_else(|| Problem::bad("relationships.webhook must not be null"))?;
    if row.is_none() {
        require_room(tx, id).await?;
    }
    let of = store::workspace::lock(tx, workspace_of(found)?).await?;
    let of = of.ok_or_else(|| Problem::bad("the workspace of the webhook was deleted"))?;
    let template = text("template_id");
    require_template(tx, &of, Some(&template), session.rights(found)).await?;
    Ok(store::push::set_principal(tx, id, principal::stored(&session.caller)).await?)
}

/// The webhook of a workspace is created and deleted as a resource of its own.
pub(super) fn refuse_linked_webhook(row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let Some(given) = changes.get("webhook_id") else { return Ok(()) };
    let present = row.and_then(|row| row.get("webhook_id")).cloned().unwrap_or(Cell::Null);
    if *given != present {
        return Err(Problem::bad("webhook is read-only here; create or delete the webhook"));
    }
    changes.0.retain(|(column, _)| column.name != "webhook_id");
    Ok(())
}

/// Takes a webhook that is deleted from its workspace.
pub(super) async fn forget_webhook(tx: &DatabaseTransaction, row: &Row) -> Result<()> {
    let Some(id) = row.get("workspace_id").and_then(Cell::id) else { return Ok(()) };
    Ok(store::push::set_of_workspace(tx, WorkspaceId(id), None).await?)
}
