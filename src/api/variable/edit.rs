//! Changes of variables, and their deletion.

use entity::variable::{Model, VariableKind};
use poem_openapi::types::MaybeUndefined;

use super::super::audit;
use super::super::caller::Auth;
use super::super::limits;
use super::parent::Parent;
use super::request::EnvironmentVariableEditRequest;
use super::response::VariableResponse;
use super::save::{set_value, touch};
use super::validate;
use super::visible::shown;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Edits a variable; a value that is not given stays.
pub(super) async fn edit(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    mut row: Model,
    given: EnvironmentVariableEditRequest,
) -> Result<VariableResponse> {
    let EnvironmentVariableEditRequest { key, value, mount_path, description, enable_interpolation_in_file } = given;
    let before = shown(app, parent, row.id).await?;
    let renamed = key != row.key;
    match row.kind {
        VariableKind::BuiltIn => return Err(Error::invalid("key", "a built-in variable cannot be changed")),
        VariableKind::Override if renamed => return Err(Error::invalid("key", "of an override cannot be changed")),
        _ if renamed => row.key = validate::key("key", &key)?,
        _ => {}
    }
    if let Some(value) = value {
        match &row.target_key {
            Some(target) if *target == value || value.is_empty() => {}
            Some(_) => {
                return Err(Error::invalid("value", "of an alias cannot be changed; delete it and make another"));
            }
            None => set_value(app, &mut row, limits::text("value", value)?)?,
        }
    }
    match mount_path.filter(|path| !path.is_empty()) {
        Some(path) if row.kind == VariableKind::File => row.mount_path = Some(validate::path(path)?),
        Some(path) if row.mount_path.as_ref() != Some(&path) => {
            return Err(Error::invalid("mount_path", "can only be changed of a file"));
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
        MaybeUndefined::Value(wanted) => row.interpolated = Some(wanted),
    }
    row.updated_at = app.clock.now();
    let id = row.id;
    audit::write(app, auth, parent.organization, async |tx| {
        let text = format!("a variable {} is there already in this scope", row.key);
        let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, text))?;
        if renamed {
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
        return Err(Error::invalid("key", "a built-in variable cannot be deleted"));
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
