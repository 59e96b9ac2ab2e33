//! Edits and deletes variables.

use entity::variable::{Model, VariableKind};
use poem_openapi::types::MaybeUndefined;

use super::super::audit;
use super::super::caller::Auth;
use super::parent::Parent;
use super::request::EnvironmentVariableEditRequest;
use super::response::VariableResponse;
use super::save::{key_taken, set_value, touch};
use super::validate;
use super::visible::shown;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Edits a variable. An absent value keeps the stored one.
pub(super) async fn edit(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    mut row: Model,
    request: EnvironmentVariableEditRequest,
) -> Result<VariableResponse> {
    let EnvironmentVariableEditRequest { key, value, mount_path, description, enable_interpolation_in_file } = request;
    let before = shown(app, parent, row.id).await?;
    let is_renamed = key != row.key;
    match row.kind {
        VariableKind::BuiltIn => {
            return Err(Error::invalid("key", "belongs to a built-in variable, which cannot be changed"));
        }
        VariableKind::Override if is_renamed => return Err(Error::invalid("key", "cannot be changed for an override")),
        _ if is_renamed => row.key = validate::key("key", &key)?,
        _ => {}
    }
    if let Some(value) = value {
        match &row.target_key {
            Some(target) if *target == value || value.is_empty() => {}
            Some(_) => {
                return Err(Error::invalid(
                    "value",
                    "cannot be changed for an alias; delete it and create another one",
                ));
            }
            None => {
                let value = validate::value("value", &row, value)?;
                set_value(app, &mut row, value)?;
            }
        }
    }
    match mount_path.filter(|path| !path.is_empty()) {
        Some(path) if row.kind == VariableKind::File => row.mount_path = Some(validate::path(path)?),
        Some(path) if row.mount_path.as_ref() != Some(&path) => {
            return Err(Error::invalid("mount_path", "can only be changed for a file"));
        }
        _ => {}
    }
    match description {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => row.description = None,
        MaybeUndefined::Value(text) => row.description = Some(validate::description(text)?),
    }
    match enable_interpolation_in_file {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => row.interpolated = None,
        MaybeUndefined::Value(enabled) => row.interpolated = Some(enabled),
    }
    row.updated_at = app.clock.now();
    let id = row.id;
    audit::write(app, auth, parent.organization, async |tx| {
        let taken = key_taken(&row.key);
        let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, taken))?;
        if is_renamed {
            store::variable::follow_key(tx, row.id, &row.key).await?;
        }
        touch(tx, parent, row.updated_at).await?;
        let after = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("UPDATE", row.is_secret).before(&before).after(&after)))
    })
    .await?;
    shown(app, parent, id).await
}

/// Deletes a variable with its aliases and overrides.
pub(super) async fn delete(app: &App, auth: &Auth, parent: &Parent, row: Model) -> Result<()> {
    if row.kind == VariableKind::BuiltIn {
        return Err(Error::invalid("key", "belongs to a built-in variable, which cannot be deleted"));
    }
    let now = app.clock.now();
    audit::write(app, auth, parent.organization, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        touch(tx, parent, now).await?;
        let before = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("DELETE", row.is_secret).before(&before)))
    })
    .await
}
