//! Finds the variables that belong to a scope itself.

use entity::id::VariableId;
use entity::variable::{Model, VariableKind};
use uuid::Uuid;

use super::parent::Parent;
use super::visible::visible;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Why a variable cannot be the target of an alias or an override.
pub const HIERARCHY: &str =
    "belongs to a scope that is not wide enough for this alias or override (PROJECT > ENVIRONMENT > JOB)";

/// A variable of the scope itself. Variables of wider scopes are visible in it, but cannot be changed there.
///
/// # Errors
/// `NotFound`, or `Invalid` for a variable of a wider scope; database errors.
pub async fn find_own(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<Model> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?;
    if let Some(row) = row.filter(|row| parent.owns(row) && row.is_secret == is_secret) {
        return Ok(row);
    }
    let shown = visible(app, parent).await?.into_iter().find(|row| row.id.0 == id && row.is_secret == is_secret);
    match shown {
        Some(row) if row.kind == VariableKind::BuiltIn => {
            Err(Error::invalid("key", "belongs to a built-in variable, which cannot be changed"))
        }
        Some(_) => Err(Error::invalid("key", "belongs to a wider scope; change it there, or override it here")),
        None => Err(Error::NotFound("variable")),
    }
}
