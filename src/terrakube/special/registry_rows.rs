//! Modules and providers of the private registry.

use crate::engine::private_registry::{
    check_module_name, check_provider_name, check_source, check_subfolder, check_system, check_tag_prefix,
};
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::session::Session;

/// Checks a module that is created or changed, and makes its tags due if they may be others.
pub(super) fn module(session: &Session, row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let check = |column: &str, field: &str, check: fn(&str) -> Result<(), &'static str>| match changes.text(column) {
        Some(text) => check(&text).map_err(|allowed| Problem::bad(format!("{field} {allowed}"))),
        None => Ok(()),
    };
    check("name", "name", check_module_name)?;
    check("provider", "provider", check_system)?;
    check("folder", "folder", check_subfolder)?;
    check("tag_prefix", "tagPrefix", check_tag_prefix)?;
    check("source", "source", check_source)?;
    let is_other = ["source", "tag_prefix", "vcs_id", "ssh_key_id"].iter().any(|column| changes.get(column).is_some());
    if row.is_none() || is_other {
        changes.set("refresh_due_at", Kind::Time, Cell::Time(session.now));
    }
    Ok(())
}

/// Checks a provider that is created or changed. It is one of the organization itself, unless it was uploaded to the mirror.
pub(super) fn provider(row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let name = changes.text("name");
    if row.is_some() && name.is_some() && name.as_deref() != row.and_then(|row| row.get("name")).and_then(Cell::text) {
        return Err(Problem::bad("name must not change: the files of a provider are named after it"));
    }
    if let Some(name) = name {
        check_provider_name(&name).map_err(|allowed| Problem::bad(format!("name {allowed}")))?;
    }
    if row.is_none() {
        changes.set("hostname", Kind::Text, Cell::Text(String::new()));
        changes.set("namespace", Kind::Text, Cell::Text(String::new()));
    }
    Ok(())
}
