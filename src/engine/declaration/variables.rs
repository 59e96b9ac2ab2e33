//! What has to be done so that the variables of a project, an environment or a job are those that are declared.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, OrganizationId, ProjectId};
use entity::variable::{Model, VariableKind};

use super::step::{Step, VariableOwner};
use super::wanted::{WantedValue, WantedVariables};
use crate::engine::variable::variable_check;
use crate::error::{Error, Result};
use crate::secret::{self, KeyRing};
use crate::store::variable::MOST;

/// Whose variables they are.
pub(super) struct Scope {
    pub(super) organization: OrganizationId,
    pub(super) project: ProjectId,
    pub(super) environment: EnvironmentId,
    pub(super) owner: VariableOwner,
    /// Where the lists of both are in the declaration.
    pub(super) at: String,
}

/// `own` has the stored rows of the scope, and `wider` those of the scopes around it. What jobs have put out stays.
pub(super) fn compare(
    keys: &KeyRing,
    scope: &Scope,
    (own, wider): (&[&Model], &[&Model]),
    wanted: &WantedVariables,
    now: DateTime<Utc>,
) -> Result<Vec<Step>> {
    let WantedVariables { all: wanted, are_all_variables, are_all_secrets } = wanted;
    if wanted.len() as u64 > MOST {
        return Err(Error::invalid(format!("{}variables", scope.at), format!("must have at most {MOST} entries")));
    }
    let is_gone = |row: &Model| {
        // An alias is a variable, also if it is one of a secret.
        let is_secret = row.is_secret && row.kind != VariableKind::Alias;
        (if is_secret { *are_all_secrets } else { *are_all_variables })
            && row.kind != VariableKind::BuiltIn
            && row.output_of.is_none()
            && !wanted.iter().any(|wanted| wanted.key == row.key)
    };
    // Values first, so that aliases find those that are new.
    let (aliases, values): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|wanted| matches!(wanted.value, WantedValue::Alias(_)));
    let becomes_alias = |row: &Model| aliases.iter().any(|alias| alias.key == row.key);
    let stays = |row: &&Model| !is_gone(row) && (row.kind == VariableKind::Alias || !becomes_alias(row));
    let stay: Vec<&Model> = own.iter().copied().filter(stays).collect();
    let mut steps = Vec::new();
    for variable in values.iter().chain(&aliases) {
        let is_secret = matches!(variable.value, WantedValue::Text { is_secret: true, .. });
        let list = if is_secret { "secrets" } else { "variables" };
        let field = format!("{}{list}.{}", scope.at, variable.key);
        let old = own.iter().copied().find(|row| row.key == variable.key && row.kind != VariableKind::BuiltIn);
        let after = match &variable.value {
            WantedValue::Alias(target) => alias(scope, &field, old, target, (&stay, wider, &steps), now)?,
            WantedValue::Text { value, path, is_secret } => {
                let wanted = Text { value: value.as_deref(), path: path.as_deref(), is_secret: *is_secret };
                text(keys, scope, (&field, wider), (&variable.key, old), wanted, now)?
            }
        };
        let description = variable.description.clone().filter(|text| !text.is_empty());
        let description = description.map(variable_check::description).transpose();
        let description = description.map_err(|error| below(&field, error))?;
        let key = variable_check::key(&field, &variable.key)?;
        let after = Model { key, description, interpolated: variable.interpolated, ..after };
        let value_changes = old.is_none_or(|old| old.value != after.value || old.sealed != after.sealed);
        if !old.is_some_and(|old| is_same(old, &after)) {
            let after = Model { updated_at: now, ..after };
            steps.push(step(scope.owner.clone(), old, Some(after), value_changes));
        }
    }
    let gone = own.iter().filter(|row| is_gone(row));
    steps.extend(gone.map(|row| step(scope.owner.clone(), Some(row), None, true)));
    Ok(steps)
}

/// Whether nothing has to be done. That an alias is a secret or a file it has of its target, and gets it with the target.
fn is_same(old: &Model, after: &Model) -> bool {
    if after.kind != VariableKind::Alias || old.kind != VariableKind::Alias {
        return old == after;
    }
    *old == Model { is_secret: old.is_secret, mount_path: old.mount_path.clone(), ..after.clone() }
}

pub(super) fn step(owner: VariableOwner, before: Option<&Model>, after: Option<Model>, value_changes: bool) -> Step {
    let (before, after) = (before.cloned().map(Box::new), after.map(Box::new));
    Step::Variable { owner, before, after, value_changes }
}

/// An error of a part of a variable, under the name of the variable.
fn below(field: &str, error: Error) -> Error {
    match error {
        Error::Invalid { message, .. } => Error::Invalid { field: field.to_owned(), message },
        other => other,
    }
}

fn empty(scope: &Scope, kind: VariableKind, now: DateTime<Utc>) -> Model {
    let row = Model::empty(scope.organization, kind, now);
    match &scope.owner {
        VariableOwner::Project => Model { project_id: Some(scope.project), ..row },
        VariableOwner::Environment => Model { environment_id: Some(scope.environment), ..row },
        VariableOwner::Job(id, _) => Model { job_id: Some(*id), ..row },
    }
}

/// The stored row without its value, or a new one.
fn emptied(scope: &Scope, old: Option<&Model>, kind: VariableKind, now: DateTime<Utc>) -> Model {
    let empty = empty(scope, kind, now);
    let Some(old) = old else { return empty };
    Model { id: old.id, created_at: old.created_at, key: old.key.clone(), ..empty }
}

struct Text<'a> {
    value: Option<&'a str>,
    path: Option<&'a str>,
    is_secret: bool,
}

/// The row of a value, a secret or a file. It keeps its id, and what it overrides, as long as that is there.
fn text(
    keys: &KeyRing,
    scope: &Scope,
    (field, wider): (&str, &[&Model]),
    (key, old): (&str, Option<&Model>),
    wanted: Text<'_>,
    now: DateTime<Utc>,
) -> Result<Model> {
    let Text { value, path, is_secret } = wanted;
    let path = path.map(|path| variable_check::path(path.to_owned())).transpose();
    let path = path.map_err(|error| below(field, error))?;
    let kept = old.filter(|old| {
        let is_file = old.mount_path.is_some();
        old.kind != VariableKind::Alias && old.is_secret == is_secret && is_file == path.is_some()
    });
    let overridden = old.filter(|old| old.kind == VariableKind::Override).map(|old| old.target_id);
    let overridden = overridden.filter(|id| id.is_none_or(|id| wider.iter().any(|row| row.id == id)));
    let kind = match (overridden, &path) {
        (Some(_), _) => VariableKind::Override,
        (None, Some(_)) => VariableKind::File,
        (None, None) => VariableKind::Value,
    };
    let target_id = overridden.flatten();
    let mut row = match (kept, old) {
        (Some(old), _) => Model { kind, target_id, mount_path: path, ..old.clone() },
        (None, old) => Model {
            key: key.to_owned(),
            kind,
            target_id,
            mount_path: path,
            is_secret,
            ..emptied(scope, old, kind, now)
        },
    };
    let Some(value) = value else {
        if kept.is_none() {
            return Err(Error::invalid(field, "has no value, and none is stored that could be kept"));
        }
        return Ok(row);
    };
    let value = variable_check::value(field, value.to_owned(), &row)?;
    if !is_secret {
        row.value = Some(value);
        return Ok(row);
    }
    let place = secret::place("variable", row.id.0);
    let is_same = match &row.sealed {
        Some(sealed) => *keys.open_text(&place, sealed)?.expose() == value,
        None => false,
    };
    if !is_same {
        row.sealed = Some(keys.seal(&place, value.as_bytes())?);
    }
    Ok(row)
}

/// The row of an alias. `stay` has the rows of the scope that are neither deleted nor become aliases.
fn alias(
    scope: &Scope,
    field: &str,
    old: Option<&Model>,
    target: &str,
    (stay, wider, steps): (&[&Model], &[&Model], &[Step]),
    now: DateTime<Utc>,
) -> Result<Model> {
    let new = steps.iter().filter_map(|step| match step {
        Step::Variable { after: Some(after), .. } => Some(&**after).filter(|row| row.kind != VariableKind::Alias),
        _ => None,
    });
    let mut seen = new.chain(stay.iter().copied()).chain(wider.iter().copied());
    if let Some(old) = old.filter(|old| old.target_key.as_deref() == Some(target)) {
        // It stays an alias of the same row, even if another one of this name is nearer.
        let kept = seen.clone().find(|row| Some(row.id) == old.target_id);
        if let Some(kept) = kept {
            return Ok(Model { is_secret: kept.is_secret, mount_path: kept.mount_path.clone(), ..old.clone() });
        }
        if old.target_id.is_none() {
            return Ok(old.clone());
        }
    }
    let found = seen.find(|row| row.key == target && row.kind != VariableKind::Alias);
    // Most built-in variables are computed, and have no row.
    if found.is_none() && !target.starts_with("QOVERY_") {
        let text = format!("is an alias of {target}, which is no variable that is visible here");
        return Err(Error::invalid(field, text));
    }
    Ok(Model {
        is_secret: found.is_some_and(|row| row.is_secret),
        mount_path: found.and_then(|row| row.mount_path.clone()),
        target_id: found.map(|row| row.id),
        target_key: Some(target.to_owned()),
        ..emptied(scope, old, VariableKind::Alias, now)
    })
}
