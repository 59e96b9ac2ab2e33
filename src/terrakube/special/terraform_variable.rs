//! Variables: their keys, expressions, and sealing the values of sensitive ones.

use entity::id::TerraformVariableId;
use entity::terraform_variable;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::engine::variables::{check_hcl, check_workspace_key};
use crate::secret;
use crate::store;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::session::Session;

/// Seals the value of a sensitive variable. A sealed value is never revealed: making the variable non-sensitive
/// requires a new value.
pub(super) async fn variable(
    session: &Session,
    tx: &DatabaseTransaction,
    row: Option<&Row>,
    changes: &mut Changes,
) -> Result<()> {
    check_key(row, changes)?;
    check_expression(session, tx, row, changes).await?;
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

/// Checks a value that is to be an expression. A variable of which neither is changed keeps what it has.
async fn check_expression(
    session: &Session,
    tx: &DatabaseTransaction,
    row: Option<&Row>,
    changes: &Changes,
) -> Result<()> {
    if ["value", "hcl", "category"].iter().all(|column| changes.get(column).is_none()) {
        return Ok(());
    }
    let stored = |column: &str| row.and_then(|row| row.get(column));
    let cell = |column: &str| changes.get(column).or(stored(column));
    if !cell("hcl").is_some_and(Cell::is_true) || cell("category").and_then(Cell::text) != Some("TERRAFORM") {
        return Ok(());
    }
    let plain = changes.get("value").and_then(Cell::text).or(stored("value").and_then(Cell::text));
    let value = match (plain, stored("id").and_then(Cell::id)) {
        (Some(value), _) => value.to_owned(),
        (None, Some(id)) => match sealed(tx, id).await? {
            Some(sealed) => {
                session.app.keys.open_text(&secret::place("terraform_variable", id), &sealed)?.expose().clone()
            }
            None => return Ok(()),
        },
        // It has no value yet.
        (None, None) => return Ok(()),
    };
    let key = cell("key").and_then(Cell::text).unwrap_or_default();
    check_hcl(key, &value).map_err(|text| Problem::bad(format!("value: {text}")))
}

/// The stored value of a sensitive variable.
async fn sealed(tx: &DatabaseTransaction, id: Uuid) -> Result<Option<Vec<u8>>> {
    let row = store::row::by_id::<terraform_variable::Model>(tx, TerraformVariableId(id)).await?;
    Ok(row.and_then(|row| row.sealed))
}
