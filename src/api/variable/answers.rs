//! Changes variables, and answers with what they are then.

use entity::id::VariableId;
use entity::variable::Model;
use poem_openapi::types::MaybeUndefined;
use uuid::Uuid;

use super::super::caller::Auth;
use super::lookup::find_target;
use super::request::{EnvironmentVariableEditRequest, EnvironmentVariableRequest, Key, Value};
use super::response::VariableResponse;
use crate::app::App;
use crate::engine::variable::{self, NewAlias, NewOverride, NewVariable, Parent, ShownVariable, VariableEdit, visible};
use crate::error::{Error, Result};

/// Creates a variable or a secret.
pub(super) async fn create(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    request: EnvironmentVariableRequest,
    is_secret: bool,
) -> Result<VariableResponse> {
    let EnvironmentVariableRequest { key, value, mount_path, description, enable_interpolation_in_file: interpolated } =
        request;
    let value = value.unwrap_or_default();
    let new = NewVariable { key, value, mount_path, description, interpolated, is_secret };
    shown(app, parent, variable::create(app, &auth.requester(), parent, new).await?).await
}

/// Creates an alias of a variable that is visible in the scope.
pub(super) async fn create_alias(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    target: Uuid,
    request: Key,
) -> Result<VariableResponse> {
    let target = find_target(app, auth, parent, target).await?;
    let Key { key, description, enable_interpolation_in_file: interpolated } = request;
    let new = NewAlias { key, description, interpolated };
    shown(app, parent, variable::create_alias(app, &auth.requester(), parent, target, new).await?).await
}

/// Creates an override of a variable of a wider scope.
pub(super) async fn create_override(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    target: Uuid,
    request: Value,
) -> Result<VariableResponse> {
    let target = find_target(app, auth, parent, target).await?;
    let Value { value, description, enable_interpolation_in_file: interpolated } = request;
    let new = NewOverride { value: value.unwrap_or_default(), description, interpolated };
    shown(app, parent, variable::create_override(app, &auth.requester(), parent, target, new).await?).await
}

/// Edits a variable. An absent value keeps the stored one.
pub(super) async fn edit(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    row: Model,
    request: EnvironmentVariableEditRequest,
) -> Result<VariableResponse> {
    let EnvironmentVariableEditRequest { key, value, mount_path, description, enable_interpolation_in_file } = request;
    let (description, interpolated) = (given(description), given(enable_interpolation_in_file));
    let change = VariableEdit { key, value, mount_path, description, interpolated };
    shown(app, parent, variable::edit(app, &auth.requester(), parent, row, change).await?).await
}

fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// Deletes a variable with its aliases and overrides.
pub(super) async fn delete(app: &App, auth: &Auth, parent: &Parent, row: Model) -> Result<()> {
    variable::delete(app, &auth.requester(), parent, row).await
}

/// Responses for all variables visible in a scope.
pub(super) async fn list(app: &App, parent: &Parent) -> Result<Vec<VariableResponse>> {
    let all = visible(app, parent).await?;
    Ok(all.iter().map(|row| ShownVariable::new(row, &all, parent).into()).collect())
}

/// The response for a stored variable of a scope.
async fn shown(app: &App, parent: &Parent, id: VariableId) -> Result<VariableResponse> {
    let all = visible(app, parent).await?;
    let row = all.iter().find(|row| row.id == id).ok_or(Error::NotFound("variable"))?;
    Ok(ShownVariable::new(row, &all, parent).into())
}
