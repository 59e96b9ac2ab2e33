//! Finds variables that requests name.

use entity::id::VariableId;
use entity::variable::{Model, VariableKind};
use uuid::Uuid;

use super::super::caller::Auth;
use super::parent::Parent;
use super::visible::visible;
use crate::access::Action;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

pub(super) const HIERARCHY: &str =
    "scopes go PROJECT > ENVIRONMENT > JOB; it can only be made in the scope of its target or a narrower one";

/// What an alias or an override is to be of: something that the scope sees.
pub(super) async fn target_of(app: &App, auth: &Auth, parent: &Parent, id: Uuid) -> Result<Model> {
    let all = visible(app, parent).await?;
    if let Some(row) = all.into_iter().find(|row| row.id.0 == id) {
        return Ok(row);
    }
    // It may be there for the caller, but not for this scope.
    stored(app, auth, Action::View, id).await?;
    Err(Error::invalid("variableId", HIERARCHY))
}

/// A stored variable of a scope that the caller may reach.
pub(super) async fn stored(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<(Model, Parent)> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?.ok_or(Error::NotFound("variable"))?;
    match Parent::of_row(app, auth, action, &row).await {
        Ok(parent) => Ok((row, parent)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("variable")),
        Err(error) => Err(error),
    }
}

/// A variable that a family names under its scope; those of wider scopes are shown there, but not theirs to change.
pub(super) async fn own(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<Model> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?;
    if let Some(row) = row.filter(|row| parent.owns(row) && row.is_secret == is_secret) {
        return Ok(row);
    }
    let shown = visible(app, parent).await?.into_iter().find(|row| row.id.0 == id && row.is_secret == is_secret);
    match shown {
        Some(row) if row.kind == VariableKind::BuiltIn => {
            Err(Error::invalid("key", "a built-in variable cannot be changed"))
        }
        Some(_) => Err(Error::invalid("key", "belongs to a wider scope; change it there, or override it here")),
        None => Err(Error::NotFound("variable")),
    }
}

/// Refuses a secret in the family of variables, and the other way round.
pub(super) async fn of_kind(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<()> {
    let all = visible(app, parent).await?;
    let other = all.iter().any(|row| row.id.0 == id && row.is_secret != is_secret);
    if other { Err(Error::NotFound("variable")) } else { Ok(()) }
}
