//! Looks up the variables that requests refer to.

use entity::id::VariableId;
use entity::variable::Model;
use uuid::Uuid;

use super::super::caller::Auth;
use super::access_parent;
use crate::access::Action;
use crate::app::App;
use crate::engine::variable::{HIERARCHY, Parent, visible};
use crate::error::{Error, Result};
use crate::store;

/// The target of a new alias or override, which must be visible in its scope.
pub(super) async fn find_target(app: &App, auth: &Auth, parent: &Parent, id: Uuid) -> Result<Model> {
    let all = visible(app, parent).await?;
    if let Some(row) = all.into_iter().find(|row| row.id.0 == id) {
        return Ok(row);
    }
    // The caller may have access to a variable that is not visible in this scope.
    find_stored(app, auth, Action::View, id).await?;
    Err(Error::invalid("variableId", HIERARCHY))
}

/// A stored variable with its scope. The caller must have access to the scope.
pub(super) async fn find_stored(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<(Model, Parent)> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?.ok_or(Error::NotFound("variable"))?;
    match access_parent::of_row(app, auth, action, &row).await {
        Ok(parent) => Ok((row, parent)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("variable")),
        Err(error) => Err(error),
    }
}

/// Rejects a variable that is addressed as a secret, and a secret that is addressed as a variable.
pub(super) async fn require_kind(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<()> {
    let all = visible(app, parent).await?;
    let is_other_kind = all.iter().any(|row| row.id.0 == id && row.is_secret != is_secret);
    if is_other_kind { Err(Error::NotFound("variable")) } else { Ok(()) }
}
