//! Edits and deletes variables.

use entity::id::VariableId;
use entity::variable::{Model, VariableKind};

use super::parent::Parent;
use super::save::{key_taken, set_value, touch};
use super::shown_variable::ShownVariable;
use super::variable_check;
use super::visible::visible;
use crate::app::App;
use crate::engine::audit;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// Changes of a variable; those that are none keep what is stored. No `Debug`: the value may be a secret.
#[derive(Clone)]
pub struct VariableEdit {
    pub key: String,
    pub value: Option<String>,
    pub mount_path: Option<String>,
    /// None inside removes it.
    pub description: Option<Option<String>>,
    /// None inside removes it.
    pub interpolated: Option<Option<bool>>,
}

/// Edits a variable. An absent value keeps the stored one.
///
/// # Errors
/// `Invalid`, with the field; `Conflict` if the key is taken; database errors.
pub async fn edit(app: &App, by: &Requester, parent: &Parent, row: Model, change: VariableEdit) -> Result<VariableId> {
    let all = visible(app, parent).await?;
    let before = all.iter().find(|other| other.id == row.id).ok_or(Error::NotFound("variable"))?;
    let before = ShownVariable::new(before, &all, parent).recorded();
    let (id, now) = (row.id, app.clock.now());
    changed(app, row, change.clone())?;
    audit::write(app, by, parent.organization, async |tx| {
        // Somebody else may have changed it since it was read. A built-in variable has no row.
        let taken = key_taken(&change.key);
        let edit = |stored: Model| Ok(Model { updated_at: now, ..changed(app, stored, change)? });
        let changed = store::row::change(tx, id, edit, |e| Error::or_taken(e, taken)).await?;
        let (stored, row) = changed.ok_or(Error::NotFound("variable"))?;
        if row.key != stored.key {
            store::variable::follow_key(tx, row.id, &row.key).await?;
        }
        touch(tx, parent, row.updated_at).await?;
        let after = ShownVariable::new(&row, &[], parent).recorded();
        Ok((id, parent.change("UPDATE", row.is_secret).before(&before).after(&after)))
    })
    .await
}

/// The row with the changes.
fn changed(app: &App, mut row: Model, change: VariableEdit) -> Result<Model> {
    let VariableEdit { key, value, mount_path, description, interpolated } = change;
    let is_renamed = key != row.key;
    match row.kind {
        VariableKind::BuiltIn => {
            return Err(Error::invalid("key", "belongs to a built-in variable, which cannot be changed"));
        }
        VariableKind::Override if is_renamed => return Err(Error::invalid("key", "cannot be changed for an override")),
        _ if is_renamed => row.key = variable_check::key("key", &key)?,
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
                let value = variable_check::value("value", value, &row)?;
                set_value(app, &mut row, value)?;
            }
        }
    }
    match mount_path.filter(|path| !path.is_empty()) {
        Some(path) if row.kind == VariableKind::File => row.mount_path = Some(variable_check::path(path)?),
        Some(path) if row.mount_path.as_ref() != Some(&path) => {
            return Err(Error::invalid("mount_path", "can only be changed for a file"));
        }
        _ => {}
    }
    if let Some(text) = description {
        row.description = text.map(variable_check::description).transpose()?;
    }
    if let Some(flag) = interpolated {
        row.interpolated = flag;
    }
    Ok(row)
}

/// Deletes a variable with its aliases and overrides.
///
/// # Errors
/// `Invalid` for a built-in variable; database errors.
pub async fn delete(app: &App, by: &Requester, parent: &Parent, row: Model) -> Result<()> {
    if row.kind == VariableKind::BuiltIn {
        return Err(Error::invalid("key", "belongs to a built-in variable, which cannot be deleted"));
    }
    let now = app.clock.now();
    audit::write(app, by, parent.organization, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        touch(tx, parent, now).await?;
        let before = ShownVariable::new(&row, &[], parent).recorded();
        Ok(((), parent.change("DELETE", row.is_secret).before(&before)))
    })
    .await
}
