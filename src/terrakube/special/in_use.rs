//! What is in use is not deleted: a login of a workspace, and a workspace whose state still describes something.

use entity::id::{SshKeyId, VcsId, WorkspaceId};
use poem::http::StatusCode;
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::terraform_state::{StateHead, open_whole};
use crate::store;
use crate::store::resource::{Cell, Row};
use crate::store::workspace::Login;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::resource::Resource;

/// How many workspaces an error names.
const NAMED: u64 = 5;

/// Rejects the deletion of a VCS connection or an SSH key that a workspace uses.
pub(super) async fn refuse_used_login(tx: &DatabaseTransaction, of: &Resource, row: &Row) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let login = if of.kind == "vcs" { Login::Vcs(VcsId(id)) } else { Login::Ssh(SshKeyId(id)) };
    let mut names = store::workspace::users_of_login(tx, login, NAMED + 1).await?;
    if names.is_empty() {
        return Ok(());
    }
    if names.len() as u64 > NAMED {
        names.truncate(NAMED as usize);
        names.push("others".into());
    }
    let text = format!("{} is used by the workspaces {}; remove it from them first", of.kind, names.join(", "));
    Err(Problem::new(StatusCode::CONFLICT, text))
}

/// Rejects the deletion of a workspace whose newest state has resources or outputs: nothing else knows what they are.
pub(super) async fn refuse_state(app: &App, tx: &DatabaseTransaction, id: WorkspaceId) -> Result<()> {
    let Some(newest) = store::workspace::newest_state(tx, id).await? else { return Ok(()) };
    // A state that is stored in pieces is too large to be empty.
    let is_empty = newest.pieces.is_none()
        && StateHead::read(open_whole(&app.keys, &newest)?.as_slice()).is_ok_and(|head| head.is_empty);
    if is_empty {
        return Ok(());
    }
    let text = format!(
        "the state of the workspace (serial {}) has resources or outputs; destroy them, empty the state (DELETE of its backend), or \
         set deleted to true, which keeps the state",
        newest.serial
    );
    Err(Problem::new(StatusCode::CONFLICT, text))
}
