//! Logins and SSH keys belong to a host: whoever gives them to another one must give the secret again.

use entity::id::{SshKeyId, VcsId};
use sea_orm::DatabaseTransaction;

use crate::secret::stored_binding::vcs_host;
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
    let own = vcs_host(&stored.vcs_type, stored.endpoint.as_deref());
    let vcs_type = after(changes, "vcs_type", Some(&stored.vcs_type)).unwrap_or_default();
    if own == vcs_host(&vcs_type, after(changes, "endpoint", stored.endpoint.as_deref()).as_deref()) {
        return Ok(());
    }
    for (name, column, secret) in [
        ("accessToken", "access_token", &stored.access_token),
        ("clientSecret", "client_secret", &stored.client_secret),
        ("privateKey", "private_key", &stored.private_key),
    ] {
        if secret.is_some() && changes.get(column).is_none() {
            return Err(Problem::bad(format!(
                "{name} must be given again, because endpoint or vcsType has another host"
            )));
        }
    }
    changes.set("earlier_urls", Kind::Json, Cell::Null);
    Ok(())
}

/// Checks a change of an SSH key.
pub(super) async fn ssh(tx: &DatabaseTransaction, row: &Row, changes: &Changes) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let Some(stored) = store::workspace::ssh_key(tx, SshKeyId(id)).await? else { return Ok(()) };
    let moved = stored.known_hosts.is_some()
        && after(changes, "known_hosts", stored.known_hosts.as_deref()) != stored.known_hosts;
    if moved && changes.get("private_key").is_none() {
        return Err(Problem::bad("privateKey must be given again, because knownHosts changes"));
    }
    Ok(())
}
