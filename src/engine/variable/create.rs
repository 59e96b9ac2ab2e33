//! Creates variables, aliases and overrides.

use entity::id::VariableId;
use entity::variable::{Model, VariableKind};

use super::own::HIERARCHY;
use super::parent::Parent;
use super::save::{insert, set_value, touch};
use super::shown_variable::{ShownVariable, scope_of};
use super::variable_check;
use crate::app::App;
use crate::engine::audit;
use crate::engine::faults::Faults;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};

/// A new variable or secret. No `Debug`: the value may be a secret.
pub struct NewVariable {
    pub key: String,
    pub value: String,
    /// A variable with a path is mounted as a file.
    pub mount_path: Option<String>,
    pub description: Option<String>,
    pub interpolated: Option<bool>,
    pub is_secret: bool,
}

/// A new alias.
pub struct NewAlias {
    pub key: String,
    pub description: Option<String>,
    pub interpolated: Option<bool>,
}

/// A new override. No `Debug`: the value may be a secret.
pub struct NewOverride {
    pub value: String,
    pub description: Option<String>,
    pub interpolated: Option<bool>,
}

/// Creates a variable or a secret.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the key is taken; database errors.
pub async fn create(app: &App, by: &Requester, parent: &Parent, new: NewVariable) -> Result<VariableId> {
    let NewVariable { key, value, mount_path, description, interpolated, is_secret } = new;
    let mut faults = Faults::default();
    let key = faults.note(variable_check::key("key", &key));
    let mut row = parent.empty_row(key, VariableKind::Value, app.clock.now());
    if let Some(path) = mount_path.filter(|path| !path.is_empty()) {
        row.mount_path = Some(faults.note(variable_check::path(path)));
        row.kind = VariableKind::File;
    }
    row.is_secret = is_secret;
    row.description = faults.note(description.map(variable_check::description).transpose());
    row.interpolated = interpolated;
    let value = faults.note(variable_check::value("value", value, &row));
    faults.result()?;
    set_value(app, &mut row, value)?;
    store_new(app, by, parent, row).await
}

/// Creates an alias of a variable that is visible in the scope.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the key is taken; database errors.
pub async fn create_alias(
    app: &App,
    by: &Requester,
    parent: &Parent,
    target: Model,
    new: NewAlias,
) -> Result<VariableId> {
    let NewAlias { key, description, interpolated } = new;
    let mut faults = Faults::default();
    let key = faults.note(variable_check::key("key", &key));
    let mut row = parent.empty_row(key, VariableKind::Alias, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = faults.note(description.map(variable_check::description).transpose());
    faults.result()?;
    row.interpolated = interpolated;
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    row.target_key = Some(target.key);
    store_new(app, by, parent, row).await
}

/// Creates an override of a variable of a wider scope.
///
/// # Errors
/// `Invalid` if the target cannot be overridden here; `Conflict` if the scope has the key already; database errors.
pub async fn create_override(
    app: &App,
    by: &Requester,
    parent: &Parent,
    target: Model,
    new: NewOverride,
) -> Result<VariableId> {
    if target.kind == VariableKind::Alias {
        return Err(Error::invalid(
            "variableId",
            "is an alias, which cannot be overridden; override its target instead",
        ));
    }
    if scope_of(&target) >= parent.scope() {
        return Err(Error::invalid("variableId", HIERARCHY));
    }
    let NewOverride { value, description, interpolated } = new;
    let mut row = parent.empty_row(target.key.clone(), VariableKind::Override, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = description.map(variable_check::description).transpose()?;
    row.interpolated = interpolated.or(target.interpolated);
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    let value = variable_check::value("value", value, &row)?;
    set_value(app, &mut row, value)?;
    store_new(app, by, parent, row).await
}

/// The ID of a stored row. Most built-in variables are computed and have no row.
fn stored_id(target: &Model) -> Option<VariableId> {
    let stored = target.project_id.is_some() || target.environment_id.is_some() || target.job_id.is_some();
    stored.then_some(target.id)
}

async fn store_new(app: &App, by: &Requester, parent: &Parent, row: Model) -> Result<VariableId> {
    let id = row.id;
    audit::write(app, by, parent.organization, async |tx| {
        let row = insert(tx, parent, row).await?;
        touch(tx, parent, row.updated_at).await?;
        let shown = ShownVariable::new(&row, &[], parent);
        Ok((id, parent.change("CREATE", row.is_secret).after(&shown.recorded())))
    })
    .await
}
