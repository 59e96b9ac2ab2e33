//! What would change of a workspace, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::change::Field;
use super::super::declared_workspace::{FIELDS, REFERENCES, Schedule, Variable, Workspace};

/// The fields that differ. What is absent has its default.
pub(super) fn differences(wanted: &Workspace, stored: Option<&Workspace>) -> Vec<Field> {
    let mut all = Vec::new();
    let mut differ = |field: String, before: Option<String>, after: Option<String>| {
        if before != after {
            all.push(Field { field, before, after });
        }
    };
    for (key, _, default) in FIELDS {
        let of = |workspace: &Workspace| workspace.fields.get(key).filter(|text| *text != default).cloned();
        differ(key.into(), stored.and_then(of), of(wanted));
    }
    for (key, _) in REFERENCES {
        let of = |workspace: &Workspace| workspace.references.get(key).cloned();
        differ(key.into(), stored.and_then(of), of(wanted));
    }
    let nothing = BTreeMap::new();
    for (list, after) in &wanted.variables {
        let before = stored.and_then(|stored| stored.variables.get(list)).unwrap_or(&nothing);
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let (old, new) = (before.get(key), after.get(key));
            let [old, new] = [parts(old, list.is_secret()), parts(new, list.is_secret())];
            let names: BTreeSet<&&str> = old.keys().chain(new.keys()).collect();
            for name in names {
                let field = format!("{}.{key}.{name}", list.key());
                differ(field, old.get(*name).cloned(), new.get(*name).cloned());
            }
        }
    }
    if let Some(after) = &wanted.tags {
        let before = stored.and_then(|stored| stored.tags.as_ref()).filter(|tags| !tags.is_empty());
        let shown = |tags: &BTreeSet<String>| json!(tags).to_string();
        differ("tags".into(), before.map(shown), Some(after).filter(|tags| !tags.is_empty()).map(shown));
    }
    if let Some(after) = &wanted.schedules {
        let before = stored.and_then(|stored| stored.schedules.as_ref());
        let shown = |list: &Vec<Schedule>| {
            let list: Vec<Value> = list.iter().map(Schedule::written).collect();
            Some(Value::from(list).to_string()).filter(|text| text != "[]")
        };
        differ("schedules".into(), before.and_then(shown), shown(after));
    }
    all
}

/// The parts of a variable that can be compared. Values of secrets are neither returned nor shown.
fn parts(variable: Option<&Variable>, is_secret: bool) -> BTreeMap<&'static str, String> {
    let Some(Variable { value, hcl, description }) = variable else { return BTreeMap::new() };
    let value = if is_secret { Some("(secret)".to_owned()) } else { value.clone() };
    let hcl = Some("true".to_owned()).filter(|_| *hcl);
    let description = Some(description.clone()).filter(|text| !text.is_empty());
    let all = [("value", value), ("hcl", hcl), ("description", description)];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
