//! Logins and SSH keys belong to a host: whoever gives them to another one must give the secret again.

use entity::id::{SshKeyId, VcsId};
use entity::ssh_key;
use sea_orm::DatabaseTransaction;

use crate::secret::stored_binding::{of_ssh_key, vcs_host};
use crate::secret::{Origin, Scheme, moves};
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

/// Checks a change of an SSH key. A new key belongs to no host yet.
pub(super) async fn ssh(tx: &DatabaseTransaction, row: &Row, changes: &mut Changes) -> Result<()> {
    let Some(id) = row.get("id").and_then(Cell::id) else { return Ok(()) };
    let Some(stored) = store::workspace::ssh_key(tx, SshKeyId(id)).await? else { return Ok(()) };
    if changes.get("private_key").is_some() {
        changes.set("bound_urls", Kind::Json, Cell::Null);
        return Ok(());
    }
    let known_hosts = after(changes, "known_hosts", stored.known_hosts.as_deref());
    if known_hosts == stored.known_hosts {
        return Ok(());
    }
    let before = of_ssh_key(&stored, None);
    let had_none = stored.known_hosts.is_none();
    let is_unbound = had_none && before.origins.is_empty();
    // Whatever is compared by `ssh` only is another host.
    let elsewhere = Origin { scheme: Scheme::Ssh, host: String::new(), port: 0 };
    let named = of_ssh_key(&ssh_key::Model { known_hosts, ..stored }, Some(&elsewhere));
    if is_unbound || had_none && !moves(&before, &named) {
        return Ok(());
    }
    Err(Problem::bad("privateKey must be given again, because knownHosts changes"))
}
