//! Creates variables, aliases and overrides.

use entity::id::VariableId;
use entity::variable::{Model, VariableKind};
use uuid::Uuid;

use super::super::audit;
use super::super::caller::Auth;
use super::lookup::{HIERARCHY, find_target};
use super::parent::Parent;
use super::request::{EnvironmentVariableRequest, Key, Value};
use super::response::VariableResponse;
use super::save::{insert, set_value, touch};
use super::scope::APIVariableScopeEnum;
use super::validate;
use super::visible::shown;
use crate::app::App;
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

/// Creates a variable or a secret.
pub(super) async fn create(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    request: EnvironmentVariableRequest,
    is_secret: bool,
) -> Result<VariableResponse> {
    let EnvironmentVariableRequest { key, value, mount_path, description, enable_interpolation_in_file } = request;
    let mut faults = Faults::default();
    let key = faults.note(validate::key("key", &key));
    let mut row = parent.empty_row(key, VariableKind::Value, app.clock.now());
    if let Some(path) = mount_path.filter(|path| !path.is_empty()) {
        row.mount_path = Some(faults.note(validate::path(path)));
        row.kind = VariableKind::File;
    }
    row.is_secret = is_secret;
    row.description = faults.note(description.map(validate::description).transpose());
    row.interpolated = enable_interpolation_in_file;
    let value = faults.note(validate::value("value", value.unwrap_or_default(), &row));
    faults.result()?;
    set_value(app, &mut row, value)?;
    store_new(app, auth, parent, row).await
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
    let Key { key, description, enable_interpolation_in_file } = request;
    let mut faults = Faults::default();
    let key = faults.note(validate::key("key", &key));
    let mut row = parent.empty_row(key, VariableKind::Alias, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = faults.note(description.map(validate::description).transpose());
    faults.result()?;
    row.interpolated = enable_interpolation_in_file;
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    row.target_key = Some(target.key);
    store_new(app, auth, parent, row).await
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
    if target.kind == VariableKind::Alias {
        return Err(Error::invalid(
            "variableId",
            "is an alias, which cannot be overridden; override its target instead",
        ));
    }
    if APIVariableScopeEnum::of(&target).narrowness() >= parent.scope().narrowness() {
        return Err(Error::invalid("variableId", HIERARCHY));
    }
    let Value { value, description, enable_interpolation_in_file } = request;
    let mut row = parent.empty_row(target.key.clone(), VariableKind::Override, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = description.map(validate::description).transpose()?;
    row.interpolated = enable_interpolation_in_file.or(target.interpolated);
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    let value = validate::value("value", value.unwrap_or_default(), &row)?;
    set_value(app, &mut row, value)?;
    store_new(app, auth, parent, row).await
}

/// The ID of a stored row. Most built-in variables are computed and have no row.
fn stored_id(target: &Model) -> Option<VariableId> {
    let stored = target.project_id.is_some() || target.environment_id.is_some() || target.job_id.is_some();
    stored.then_some(target.id)
}

async fn store_new(app: &App, auth: &Auth, parent: &Parent, row: Model) -> Result<VariableResponse> {
    let id = row.id;
    audit::write(app, auth, parent.organization, async |tx| {
        let row = insert(tx, parent, row).await?;
        touch(tx, parent, row.updated_at).await?;
        let shown = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("CREATE", row.is_secret).after(&shown)))
    })
    .await?;
    shown(app, parent, id).await
}
