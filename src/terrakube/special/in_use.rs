//! A login that a workspace uses is not deleted, nor a version of the state of a protected workspace.

use entity::id::{SshKeyId, VcsId, WorkspaceId};
use entity::workspace;
use sea_orm::DatabaseTransaction;

use crate::engine::destroy_protection;
use crate::engine::settings::repository_login::refuse_used;
use crate::store;
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

/// Rejects the deletion of a state version of a workspace that is protected against destroy.
pub(super) async fn refuse_protected(tx: &DatabaseTransaction, row: &Row) -> Result<()> {
    let Some(id) = row.get("workspace_id").and_then(Cell::id) else { return Ok(()) };
    match store::row::by_id::<workspace::Model>(tx, WorkspaceId(id)).await? {
        Some(of) => Ok(destroy_protection::refuse(&of)?),
        None => Ok(()),
    }
}
