//! A login that a workspace uses is not deleted.

use entity::id::{SshKeyId, VcsId};
use sea_orm::DatabaseTransaction;

use crate::engine::settings::repository_login::refuse_used;
use crate::store::resource::{Cell, Row};
use crate::store::workspace::Login;
use crate::terrakube::error::Result;
use crate::terrakube::resource::Resource;

/// Rejects the deletion of a VCS connection or an SSH key that a workspace uses.
pub(super) async fn refuse_used_login(tx: &DatabaseTransaction, of: &Resource, row: &Row) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let login = if of.kind == "vcs" { Login::Vcs(VcsId(id)) } else { Login::Ssh(SshKeyId(id)) };
    Ok(refuse_used(tx, login, of.kind).await?)
}
