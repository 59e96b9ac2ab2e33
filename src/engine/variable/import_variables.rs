//! Imports variables, each into its own scope.

use chrono::{DateTime, Utc};
use entity::variable::{Model, VariableKind};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value, json};

use super::parent::Parent;
use super::save::{insert, set_value, touch};
use super::shown_variable::{scope_name, scope_of};
use super::variable_check;
use super::visible::visible;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::engine::variables::VariableScope;
use crate::error::{Error, Result};
use crate::store;

/// A variable to import. No `Debug`: the value may be a secret.
pub struct ImportedVariable {
    pub name: String,
    pub value: String,
    /// None for a scope that this server does not have.
    pub scope: Option<VariableScope>,
    pub is_secret: bool,
}

/// The variables to import.
pub struct Import {
    /// The widest scope in which the requester may change variables.
    pub widest: VariableScope,
    /// Whether the values of existing variables are replaced.
    pub overwrite: bool,
    pub variables: Vec<ImportedVariable>,
}

/// The action of an import on a variable.
#[derive(Clone)]
enum ImportAction {
    Create(Model),
    Replace(Model),
    /// The variable conflicts with one that the import must not replace.
    Skip,
}

impl ImportAction {
    fn row(&mut self) -> Option<&mut Model> {
        match self {
            Self::Create(row) | Self::Replace(row) => Some(row),
            Self::Skip => None,
        }
    }
}

/// Imports the variables that can be imported, and returns them. An invalid name or value rejects the whole request, as does a
/// variable of a scope in which the requester may not change any.
///
/// # Errors
/// `Forbidden`; `Invalid`, with the variable; database errors.
pub async fn import(app: &App, by: &Requester, parent: &Parent, request: Import) -> Result<Vec<ImportedVariable>> {
    let Import { widest, overwrite, variables } = request;
    if variables.len() > limits::ITEMS {
        return Err(Error::invalid("vars", format!("must have at most {} items", limits::ITEMS)));
    }
    let is_too_wide = |scope: VariableScope| scope != VariableScope::BuiltIn && scope < widest;
    if variables.iter().filter_map(|variable| variable.scope).any(is_too_wide) {
        return Err(Error::Forbidden("vars: your role does not allow this for variables of a wider scope"));
    }
    let now = app.clock.now();
    let mut visible_rows = visible(app, parent).await?;
    let mut actions = Vec::new();
    let mut imported = Vec::new();
    for (index, variable) in variables.into_iter().enumerate() {
        let name = variable_check::key(&format!("vars[{index}].name"), &variable.name)?;
        let of = variable.scope.and_then(|scope| parent.at(scope));
        let of =
            of.ok_or_else(|| Error::invalid(format!("vars[{index}].scope"), "must be PROJECT, ENVIRONMENT or JOB"))?;
        let mut row = of.empty_row(name, VariableKind::Value, now);
        row.is_secret = variable.is_secret;
        let mut action = action(&visible_rows, row, of.scope(), overwrite);
        let value_field = format!("vars[{index}].value");
        let Some(row) = action.row() else {
            limits::text(&value_field, variable.value)?;
            continue;
        };
        let value = variable_check::value(&value_field, variable.value.clone(), row)?;
        set_value(app, row, value)?;
        visible_rows.retain(|other| other.id != row.id);
        visible_rows.push(row.clone());
        actions.push((of, action));
        imported.push(variable);
    }
    let changes = changes(parent, &imported);
    store::write(&app.db, async |tx| {
        for (of, action) in actions {
            match action {
                ImportAction::Create(row) => drop(insert(tx, &of, row).await?),
                ImportAction::Replace(row) => replace(tx, row, now).await?,
                ImportAction::Skip => {}
            }
            touch(tx, &of, now).await?;
        }
        for change in changes {
            audit::record(app, by, parent.organization, tx, change).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    Ok(imported)
}

/// Replaces the value of a variable, and nothing else of it.
async fn replace(tx: &DatabaseTransaction, new: Model, now: DateTime<Utc>) -> Result<()> {
    let meanwhile = format!("vars: {} was changed at the same time; try again", new.key);
    let id = new.id;
    let edit = |stored: Model| {
        // It may have another name by now, or be an alias.
        if (&stored.key, stored.kind, stored.is_secret) != (&new.key, new.kind, new.is_secret) {
            return Err(Error::Conflict(meanwhile.clone()));
        }
        Ok(Model { value: new.value, sealed: new.sealed, updated_at: now, ..stored })
    };
    let changed = store::row::change(tx, id, edit, Error::from).await?;
    changed.map(drop).ok_or_else(|| Error::Conflict(meanwhile.clone()))
}

/// What is recorded: what was imported into each scope, at its owner.
fn changes(parent: &Parent, imported: &[ImportedVariable]) -> Vec<Change> {
    let scopes = [VariableScope::Project, VariableScope::Environment, VariableScope::Job];
    let owners = scopes.into_iter().filter_map(|scope| parent.at(scope));
    let change = |of: Parent| {
        let own = imported.iter().filter(|variable| variable.scope == Some(of.scope()));
        let own: Vec<Value> = own.map(recorded).collect();
        let is_empty = own.is_empty() && !(imported.is_empty() && of.scope() == parent.scope());
        (!is_empty).then(|| of.change("IMPORT", false).after(&own))
    };
    owners.filter_map(change).collect()
}

/// As the event records it.
fn recorded(variable: &ImportedVariable) -> Value {
    let ImportedVariable { name, value, scope, is_secret } = variable;
    let mut all = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("scope".to_owned(), json!(scope.map(scope_name))),
        ("is_secret".to_owned(), json!(is_secret)),
    ]);
    if !is_secret {
        all.insert("value".to_owned(), json!(value));
    }
    Value::Object(all)
}

/// Applies the rules of the official import to the visible variables. The caller sets the value.
fn action(visible_rows: &[Model], mut new: Model, scope: VariableScope, overwrite: bool) -> ImportAction {
    let named: Vec<&Model> = visible_rows.iter().filter(|row| row.key == new.key).collect();
    let is_fixed = |row: &&Model| matches!(row.kind, VariableKind::BuiltIn | VariableKind::Alias);
    let is_other_kind = |row: &&Model| row.is_secret != new.is_secret;
    if named.iter().any(|row| is_fixed(row) || is_other_kind(row) || scope_of(row) > scope) {
        return ImportAction::Skip;
    }
    match named.iter().find(|row| scope_of(row) == scope) {
        Some(_) if !overwrite => ImportAction::Skip,
        Some(old) => ImportAction::Replace((*old).clone()),
        None => {
            if let Some(wider) = named.iter().max_by_key(|row| scope_of(row)) {
                new.kind = VariableKind::Override;
                new.mount_path.clone_from(&wider.mount_path);
                new.target_id = Some(wider.id);
            }
            ImportAction::Create(new)
        }
    }
}
