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
    let mut steps = Vec::new();
    // Values first, so that aliases find those that are new.
    let (aliases, values): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|wanted| matches!(wanted.value, WantedValue::Alias(_)));
    for variable in values.into_iter().chain(aliases) {
        let is_secret = matches!(variable.value, WantedValue::Text { is_secret: true, .. });
        let list = if is_secret { "secrets" } else { "variables" };
        let field = format!("{}{list}.{}", scope.at, variable.key);
        let old = own.iter().copied().find(|row| row.key == variable.key && row.kind != VariableKind::BuiltIn);
        let after = match &variable.value {
            WantedValue::Alias(target) => alias(scope, &field, old, target, (own, wider, &steps), now)?,
            WantedValue::Text { value, path, is_secret } => {
                let wanted = Text { value: value.as_deref(), path: path.as_deref(), is_secret: *is_secret };
                text(keys, scope, &field, (&variable.key, old), wanted, now)?
            }
        };
        let description = variable.description.clone().filter(|text| !text.is_empty());
        let description = description.map(variable_check::description).transpose();
        let description = description.map_err(|error| below(&field, error))?;
        let key = variable_check::key(&field, &variable.key)?;
        let after = Model { key, description, interpolated: variable.interpolated, ..after };
        let value_changes =
            old.is_none_or(|old| old.id != after.id || old.value != after.value || old.sealed != after.sealed);
        if old != Some(&after) {
            let after = Model { updated_at: now, ..after };
            steps.push(step(scope, old, Some(after), value_changes));
        }
    }
    let is_gone = |row: &&&Model| {
        // An alias is a variable, also if it is one of a secret.
        let is_secret = row.is_secret && row.kind != VariableKind::Alias;
        (if is_secret { *are_all_secrets } else { *are_all_variables })
            && row.kind != VariableKind::BuiltIn
            && row.output_of.is_none()
            && !wanted.iter().any(|wanted| wanted.key == row.key)
    };
    steps.extend(own.iter().filter(is_gone).map(|row| step(scope, Some(row), None, true)));
    Ok(steps)
}

fn step(scope: &Scope, before: Option<&Model>, after: Option<Model>, value_changes: bool) -> Step {
    let (before, after) = (before.cloned().map(Box::new), after.map(Box::new));
    Step::Variable { owner: scope.owner.clone(), before, after, value_changes }
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

struct Text<'a> {
    value: Option<&'a str>,
    path: Option<&'a str>,
    is_secret: bool,
}

/// The row of a value, a secret or a file. It keeps its id if it stays of the same kind.
fn text(
    keys: &KeyRing,
    scope: &Scope,
    field: &str,
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
    let kind = if path.is_some() { VariableKind::File } else { VariableKind::Value };
    let mut row = match kept {
        Some(old) => Model { mount_path: path, ..old.clone() },
        None => Model { key: key.to_owned(), mount_path: path, is_secret, ..empty(scope, kind, now) },
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

/// The row of an alias.
fn alias(
    scope: &Scope,
    field: &str,
    old: Option<&Model>,
    target: &str,
    (own, wider, steps): (&[&Model], &[&Model], &[Step]),
    now: DateTime<Utc>,
) -> Result<Model> {
    if let Some(old) = old.filter(|old| old.target_key.as_deref() == Some(target)) {
        return Ok(old.clone());
    }
    let new = steps.iter().filter_map(|step| match step {
        Step::Variable { after: Some(after), .. } => Some(&**after),
        _ => None,
    });
    let mut seen = new.chain(own.iter().copied()).chain(wider.iter().copied());
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
        ..empty(scope, VariableKind::Alias, now)
    })
}
