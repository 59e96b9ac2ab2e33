//! Writes what the server exports as people would write it.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::{Map, Value};

use super::document::SHELL;
use crate::failure::{Failure, Result};

/// The order of keys: what somebody looks for first comes first, and others follow by name.
const ORDER: [&str; 19] = [
    "project",
    "environment",
    "mode",
    "cluster",
    "stages",
    "name",
    "description",
    "schedule",
    "timezone",
    "image",
    "registry",
    "git",
    "source",
    "branch",
    "folder",
    "tool",
    "version",
    "entrypoint",
    "command",
];

/// The keys at the end, because much may be below them.
const LAST: [&str; 10] = [
    "workspaces",
    "settings",
    "project_variables",
    "project_secrets",
    "variables",
    "secrets",
    "environment_variables",
    "environment_secrets",
    "jobs",
    "checks",
];

/// The place of a key among others.
fn place(key: &str) -> usize {
    let last = || LAST.iter().position(|known| *known == key).map(|place| ORDER.len() + 1 + place);
    ORDER.iter().position(|known| *known == key).or_else(last).unwrap_or(ORDER.len())
}

/// A declaration as YAML.
pub(crate) fn yaml(declaration: Value) -> Result<String> {
    let Value::Object(mut fields) = declaration else { return Ok(String::new()) };
    people(&mut fields);
    if let Some(Value::Object(jobs)) = fields.get_mut("jobs") {
        for job in jobs.values_mut().filter_map(Value::as_object_mut) {
            people(job);
            commands(job);
        }
    }
    let tree = Value::Object(fields);
    serde_saphyr::to_string(&Ordered { value: &tree, names: false })
        .map_err(|error| Failure::Refused(error.to_string()))
}

/// Variables that are only texts are written as such, and secrets that keep what is stored as nothing.
fn people(of: &mut Map<String, Value>) {
    for section in ["project_variables", "project_secrets", "variables", "secrets"] {
        let Some(Value::Object(all)) = of.get_mut(section) else { continue };
        for variable in all.values_mut() {
            let short = match variable.as_object() {
                Some(fields) if fields.is_empty() => Value::Null,
                Some(fields) if fields.len() == 1 => fields.get("value").cloned().unwrap_or_else(|| variable.clone()),
                _ => continue,
            };
            *variable = short;
        }
    }
}

/// A command that a shell runs is one text.
fn commands(job: &mut Map<String, Value>) {
    if let Some(text) = of_shell(job.get("entrypoint"), job.get("command")) {
        job.remove("entrypoint");
        job.insert("command".into(), text.into());
    }
    for event in ["on_start", "on_stop", "on_delete"] {
        let Some(Value::Object(fields)) = job.get(event) else { continue };
        let short = match (fields.get("entrypoint"), fields.get("command")) {
            (None, Some(list)) => list.clone(),
            (entrypoint, command) => match of_shell(entrypoint, command) {
                Some(text) => text.into(),
                None => continue,
            },
        };
        job.insert(event.into(), short);
    }
}

fn of_shell(entrypoint: Option<&Value>, command: Option<&Value>) -> Option<String> {
    match (entrypoint?.as_str()?, command?.as_array()?.as_slice()) {
        (SHELL, [flag, Value::String(text)]) if flag == "-c" => Some(text.clone()),
        _ => None,
    }
}

/// A tree in the order of people; `names` says that the keys are names, which are in the order of the alphabet.
struct Ordered<'a> {
    value: &'a Value,
    names: bool,
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                if !self.names {
                    keys.sort_by_key(|key| place(key));
                }
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for key in keys {
                    let names = !self.names && LAST.contains(&key.as_str());
                    let value = fields.get(key).unwrap_or(&Value::Null);
                    map.serialize_entry(key, &Ordered { value, names })?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for value in items {
                    list.serialize_element(&Ordered { value, names: false })?;
                }
                list.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::super::document::Document;
    use super::yaml;

    #[test]
    fn what_is_written_is_read_again() {
        let declaration = json!({
            "project": "shop", "environment": "production", "mode": "PRODUCTION",
            "stages": [{"name": "first", "description": "x"}],
            "variables": {
                "A": {"value": "1"}, "NO": {"value": "no"}, "Z": {"value": "0755"}, "F": {"value": "a: b\n# c\n", "path": "/etc/f"},
                "AA": {"alias": "A"}, "E": {"value": ""},
            },
            "secrets": {"S": {}, "SF": {"path": "/etc/s"}},
            "project_variables": {"P": {"value": "1"}}, "project_secrets": {"PS": {}},
            "checks": {"offsite": {"period_seconds": 3600, "description": "x"}},
            "jobs": {
                "image": {"schedule": "@daily", "image": "a/b:1", "entrypoint": "/bin/sh", "command": ["-c", "a | b"]},
                "b": {"on_start": {"command": ["up"]}, "on_stop": {"entrypoint": "/bin/sh", "command": ["-c", "x"]},
                      "on_delete": {"entrypoint": "/bin/y"}, "settings": {"build.timeout_max_sec": 7}, "variables": {"jobs": {"value": "x"}}},
            },
        });
        let text = yaml(declaration.clone()).unwrap();
        assert!(text.starts_with("project: shop\nenvironment: production\n"), "{text}");
        assert!(text.contains("    schedule: \"@daily\"\n    image: a/b:1\n    command: a | b\n"), "{text}");
        let value = serde_saphyr::from_str(&text).unwrap();
        let read = Document::new("file".into(), Path::new("."), value).unwrap();
        assert_eq!(read.body, declaration, "{text}");
    }
}
