//! Logins and SSH keys belong to a host: whoever gives them to another one must give the secret again.

use entity::id::{SshKeyId, VcsId};
use sea_orm::DatabaseTransaction;

use crate::engine::settings::repository_login::{check_host, is_sent_elsewhere};
use crate::store;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};

/// The text that a column has after the changes.
fn after(changes: &Changes, column: &str, before: Option<&str>) -> Option<String> {
    match changes.get(column) {
        Some(cell) => cell.text().map(str::to_owned),
        None => before.map(str::to_owned),
    }
}

/// Checks a change of a VCS connection.
pub(super) async fn vcs(tx: &DatabaseTransaction, row: &Row, changes: &mut Changes) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let Some(stored) = store::workspace::vcs(tx, VcsId(id)).await? else { return Ok(()) };
    let vcs_type = after(changes, "vcs_type", Some(&stored.vcs_type)).unwrap_or_default();
    let endpoint = after(changes, "endpoint", stored.endpoint.as_deref());
    let is_given = |name: &str| {
        let column = match name {
            "accessToken" => "access_token",
            "clientSecret" => "client_secret",
            _ => "private_key",
        };
        changes.get(column).is_some()
    };
    let checked = check_host(&stored, (&vcs_type, endpoint.as_deref()), is_given);
    let is_moved = checked.map_err(|refused| Problem::bad(format!("{} {}", refused.field, refused.message)))?;
    if is_moved {
        changes.set("earlier_urls", Kind::Json, Cell::Null);
    }
    Ok(())
}

/// Checks a change of an SSH key. A new key belongs to no host yet.
pub(super) async fn ssh(tx: &DatabaseTransaction, row: &Row, changes: &mut Changes) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let Some(stored) = store::workspace::ssh_key(tx, SshKeyId(id)).await? else { return Ok(()) };
    if changes.get("private_key").is_some() {
        changes.set("bound_urls", Kind::Json, Cell::Null);
        return Ok(());
    }
    let known_hosts = after(changes, "known_hosts", stored.known_hosts.as_deref());
    if is_sent_elsewhere(&stored, known_hosts) {
        return Err(Problem::bad("privateKey must be given again, because knownHosts changes"));
    }
    Ok(())
}
