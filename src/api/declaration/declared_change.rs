//! What a declaration changes, field by field.

use std::collections::{BTreeMap, BTreeSet};

use entity::environment::Mode;
use entity::variable;
use serde::Serialize;
use serde_json::{Value, json};

use super::declared::{DeclarationActionEnum, DeclarationChange, DeclarationField, DeclarationKindEnum};
use super::declared_check;
use super::declared_job;
use super::declared_variable;
use super::names::Names;
use crate::api::environment::EnvironmentModeEnum;
use crate::engine::declaration::{CheckState, JobState, StageState, Step, Target, VariableOwner};

/// All changes. What is new of the project and the environment comes first.
pub(super) fn changes(target: &Target, steps: &[Step], names: &Names) -> Vec<DeclarationChange> {
    let mut all = Vec::new();
    if target.project_is_new {
        all.push(change(DeclarationKindEnum::Project, &target.project.name, (None, Some(&json!({})))));
    }
    let mode = |mode: Mode| json!({"mode": EnvironmentModeEnum::from(mode)});
    let (before, after) = (target.mode_before.map(mode), mode(target.environment.mode));
    if before.as_ref() != Some(&after) {
        all.push(change(DeclarationKindEnum::Environment, &target.environment.name, (before.as_ref(), Some(&after))));
    }
    all.extend(steps.iter().map(|step| of_step(step, names)));
    all
}

fn of_step(step: &Step, names: &Names) -> DeclarationChange {
    match step {
        Step::Stage { id: _, before, after } => {
            let name = after.as_ref().or(before.as_ref()).map(|state| state.name.clone()).unwrap_or_default();
            let shown = |state: &StageState| json!({"name": state.name, "description": state.description, "position": state.position});
            let (before, after) = (before.as_ref().map(shown), after.as_ref().map(shown));
            change(DeclarationKindEnum::Stage, &name, (before.as_ref(), after.as_ref()))
        }
        Step::Job { id, before, after } => {
            let name = after.as_ref().or(before.as_ref()).map(|state| state.name.clone()).unwrap_or_default();
            // The stage is always shown, because it is part of what changes.
            let shown = |state: &JobState| named(&declared_job::declared(state, "", names), &state.name);
            let (before, after) = (before.as_deref().map(shown), after.as_deref().map(shown));
            let is_new = before.is_none();
            let change = change(DeclarationKindEnum::Job, &name, (before.as_ref(), after.as_ref()));
            DeclarationChange { job_id: Some(id.0).filter(|_| !is_new || after.is_some()), ..change }
        }
        Step::Check { id, before, after } => {
            let name = after.as_ref().or(before.as_ref()).map(|state| state.name.clone()).unwrap_or_default();
            let shown = |state: &CheckState| named(&declared_check::declared(&state.spec, names), &state.name);
            let (before, after) = (before.as_deref().map(shown), after.as_deref().map(shown));
            let change = change(DeclarationKindEnum::Check, &name, (before.as_ref(), after.as_ref()));
            DeclarationChange { job_id: Some(id.0), ..change }
        }
        Step::Variable { owner, before, after, value_changes } => {
            of_variable(owner, (before.as_deref(), after.as_deref()), *value_changes)
        }
    }
}

fn of_variable(
    owner: &VariableOwner,
    (before, after): (Option<&variable::Model>, Option<&variable::Model>),
    value_changes: bool,
) -> DeclarationChange {
    let row = after.or(before);
    let kind = match (owner, row.is_some_and(|row| row.is_secret)) {
        (VariableOwner::Project, false) => DeclarationKindEnum::ProjectVariable,
        (VariableOwner::Project, true) => DeclarationKindEnum::ProjectSecret,
        (VariableOwner::Environment | VariableOwner::Job(..), false) => DeclarationKindEnum::Variable,
        (VariableOwner::Environment | VariableOwner::Job(..), true) => DeclarationKindEnum::Secret,
    };
    let name = row.map(|row| row.key.clone()).unwrap_or_default();
    let shown = |row: &variable::Model, value: &str| {
        let mut tree = tree(&declared_variable::variable(row));
        if let (true, Value::Object(fields)) = (row.is_secret && value_changes, &mut tree) {
            fields.insert("value".into(), json!(value));
        }
        tree
    };
    let before = before.map(|row| shown(row, "(secret)"));
    let new = if before.is_some() { "(another secret)" } else { "(secret)" };
    let after = after.map(|row| shown(row, new));
    let (job_id, job) = match owner {
        VariableOwner::Project | VariableOwner::Environment => (None, None),
        VariableOwner::Job(id, name) => (Some(id.0), Some(name.clone())),
    };
    DeclarationChange { job, job_id, ..change(kind, &name, (before.as_ref(), after.as_ref())) }
}

/// What is declared, with its name, which may change in its case.
fn named(shown: &impl Serialize, name: &str) -> Value {
    let mut tree = tree(shown);
    if let Value::Object(fields) = &mut tree {
        fields.insert("name".into(), json!(name));
    }
    tree
}

fn tree(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or_default()
}

fn change(
    kind: DeclarationKindEnum,
    name: &str,
    (before, after): (Option<&Value>, Option<&Value>),
) -> DeclarationChange {
    let action = match (before, after) {
        (None, _) => DeclarationActionEnum::Create,
        (Some(_), Some(_)) => DeclarationActionEnum::Update,
        (Some(_), None) => DeclarationActionEnum::Delete,
    };
    DeclarationChange { kind, action, name: name.to_owned(), job: None, job_id: None, fields: fields(before, after) }
}

/// The fields that differ, by their paths. What is deleted has none.
pub(super) fn fields(before: Option<&Value>, after: Option<&Value>) -> Vec<DeclarationField> {
    let Some(after) = after else { return Vec::new() };
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    if let Some(before) = before {
        flatten("", before, &mut old);
    }
    flatten("", after, &mut new);
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let field = |path: &String| DeclarationField {
        field: path.clone(),
        before: old.get(path).cloned(),
        after: new.get(path).cloned(),
    };
    paths.into_iter().filter(|path| old.get(*path) != new.get(*path)).map(field).collect()
}

/// The leaves of a tree by their paths; a list is a leaf.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&below, value, into);
            }
        }
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        other => drop(into.insert(path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fields;

    #[test]
    fn only_what_differs_is_listed() {
        let before =
            json!({"schedule": "0 3 * * *", "cpu": 500, "git": {"url": "a", "branch": "main"}, "command": ["a"]});
        let after =
            json!({"schedule": "0 4 * * *", "cpu": 500, "git": {"url": "a"}, "command": ["a", "b"], "port": 80});
        let found: Vec<(String, Option<String>, Option<String>)> =
            fields(Some(&before), Some(&after)).into_iter().map(|row| (row.field, row.before, row.after)).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("command".to_owned(), text("[\"a\"]"), text("[\"a\",\"b\"]")),
                ("git.branch".to_owned(), text("main"), None),
                ("port".to_owned(), None, text("80")),
                ("schedule".to_owned(), text("0 3 * * *"), text("0 4 * * *")),
            ]
        );
        assert!(fields(Some(&before), Some(&before)).is_empty());
        assert!(fields(Some(&before), None).is_empty());
    }
}
