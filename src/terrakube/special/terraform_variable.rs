//! Variables: their keys, and sealing the values of sensitive ones.

use crate::engine::variables::check_workspace_key;
use crate::secret;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::session::Session;

/// Seals the value of a sensitive variable. A sealed value is never revealed: making the variable non-sensitive
/// requires a new value.
pub(super) fn variable(session: &Session, row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    check_key(row, changes)?;
    let was = row.and_then(|row| row.get("sensitive")).is_some_and(Cell::is_true);
    let is = changes.get("sensitive").map_or(was, Cell::is_true);
    let value = match (changes.get("value"), row) {
        (Some(Cell::Text(value)), _) => Some(value.clone()),
        (Some(_), _) | (None, None) => None,
        // The stored value becomes sensitive.
        (None, Some(row)) => {
            if is && !was {
                row.get("value").and_then(Cell::text).map(str::to_owned)
            } else {
                None
            }
        }
    };
    let id = changes.get("id").or(row.and_then(|row| row.get("id"))).and_then(Cell::id);
    match (is, value, id) {
        (true, Some(value), Some(id)) => {
            let sealed = session.app.keys.seal(&secret::place("terraform_variable", id), value.as_bytes())?;
            changes.set("sealed", Kind::Bytes, Cell::Bytes(sealed));
            changes.set("value", Kind::Text, Cell::Null);
        }
        // Clients write back the null that they have read.
        (true, _, _) if row.is_some() => changes.0.retain(|(column, _)| column.name != "value"),
        (false, None, _) if was => {
            return Err(Problem::bad("value must not be null when sensitive becomes false"));
        }
        (false, Some(_), _) if was => changes.set("sealed", Kind::Bytes, Cell::Null),
        _ => {}
    }
    Ok(())
}

/// A variable that is changed otherwise keeps the key that it has.
fn check_key(row: Option<&Row>, changes: &Changes) -> Result<()> {
    if changes.get("key").is_none() && changes.get("category").is_none() {
        return Ok(());
    }
    let text = |column: &str| {
        let cell = changes.get(column).or(row.and_then(|row| row.get(column)));
        cell.and_then(Cell::text).unwrap_or_default().to_owned()
    };
    check_workspace_key(&text("category"), &text("key"))
        .map_err(|allowed| Problem::bad(format!("key: a key {allowed}")))
}
