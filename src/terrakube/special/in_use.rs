//! A login that a workspace uses is not deleted.

use entity::id::{SshKeyId, VcsId};
use poem::http::StatusCode;
use sea_orm::DatabaseTransaction;

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
