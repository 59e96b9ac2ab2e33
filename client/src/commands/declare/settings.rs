//! Calendars, receivers and rules of a file: read, with their defaults, and compared with what is stored.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::change::Field;
use super::values;
use crate::failure::{Failure, Result};

/// What can be declared of an organization, in the order in which it is stored: jobs name calendars, and rules name receivers and jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Calendar,
    Receiver,
    Rule,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Calendar, Self::Receiver, Self::Rule];

    /// The key of the file.
    pub(super) fn section(self) -> &'static str {
        match self {
            Self::Calendar => "calendars",
            Self::Receiver => "receivers",
            Self::Rule => "rules",
        }
    }

    /// What a thing has that says nothing else.
    fn defaults(self) -> Value {
        match self {
            Self::Calendar => {
                json!({"description": "", "timezone": "Etc/UTC", "days": [], "spans": [], "weekly": []})
            }
            Self::Receiver => json!({"description": "", "send_resolved": true}),
            Self::Rule => json!({
                "description": "", "tag": "", "for_duration": "PT0S", "severity": "HIGH", "enabled": true,
                "presentation": {}, "receivers": [],
            }),
        }
    }

    /// What the server takes and does not return.
    fn is_hidden(self, key: &str) -> bool {
        match self {
            Self::Calendar => key == "ics",
            Self::Receiver => SECRETS.contains(&key),
            Self::Rule => key == "target",
        }
    }
}

/// The fields of receivers that are secrets.
const SECRETS: [&str; 4] = ["webhook_url", "url", "secret", "auth_password"];

/// A calendar, a receiver or a rule as it is declared.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// With its defaults. A rule has `receivers` and `target` by their names.
    pub(super) fields: Map<String, Value>,
}

/// Takes the settings out of a document.
pub(super) fn take(document: &mut Map<String, Value>, folder: &Path) -> Result<Vec<Setting>> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let Some(list) = document.remove(kind.section()) else { continue };
        let Value::Object(list) = list else {
            return Err(Failure::Usage(format!("{}: must be an object", kind.section())));
        };
        for (name, given) in list {
            let at = format!("{}.{name}", kind.section());
            let Value::Object(given) = given else {
                return Err(Failure::Usage(format!("{at}: must be an object")));
            };
            let fields = with_defaults(kind, given, folder, &at)?;
            found.push(Setting { kind, name, fields });
        }
    }
    Ok(found)
}

fn with_defaults(kind: Kind, given: Map<String, Value>, folder: &Path, at: &str) -> Result<Map<String, Value>> {
    let mut fields = match kind.defaults() {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    };
    for (key, value) in given {
        let at = format!("{at}.{key}");
        let value = match (kind, key.as_str()) {
            (Kind::Receiver, secret) if SECRETS.contains(&secret) => values::secret(&value, folder, &at)?.into(),
            (Kind::Calendar, "ics") => values::secret(&value, folder, &at)?.into(),
            (Kind::Rule, "condition") => condition(value),
            _ => value,
        };
        fields.insert(key, value);
    }
    if let Some(Value::Array(names)) = fields.get_mut("receivers") {
        names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    }
    Ok(fields)
}

/// A condition of the server by its name, or as the API has it.
fn condition(given: Value) -> Value {
    match given {
        Value::String(name) => json!({"kind": "BUILT", "promql": name}),
        Value::Object(mut fields) => {
            fields.entry("kind").or_insert_with(|| "BUILT".into());
            Value::Object(fields)
        }
        other => other,
    }
}

/// The fields that differ from what is stored, of those that the server returns. A stored rule names its receivers.
pub(super) fn differences(setting: &Setting, stored: Option<&Value>) -> Vec<Field> {
    let nothing = Value::Null;
    let shown = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) if fields.is_empty() => None,
        other => Some(other.to_string()),
    };
    let mut all = Vec::new();
    for (key, after) in setting.fields.iter().filter(|(key, _)| !setting.kind.is_hidden(key)) {
        let before = stored.and_then(|stored| stored.get(key)).unwrap_or(&nothing);
        let (before, after) = (shown(&without_nulls(&like(before, after))), shown(&without_nulls(after)));
        if before != after {
            all.push(Field { field: key.clone(), before, after });
        }
    }
    all
}

/// What is stored of the keys that are declared: the server adds the defaults of others, such as the threshold of a condition.
fn like(stored: &Value, declared: &Value) -> Value {
    match (stored, declared) {
        (Value::Object(stored), Value::Object(declared)) => {
            let kept = stored.iter().filter_map(|(key, value)| Some((key.clone(), like(value, declared.get(key)?))));
            Value::Object(kept.collect())
        }
        _ => stored.clone(),
    }
}

/// The API names some absent fields as null, and writes numbers as it stores them.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), |number| json!(number)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{Kind, differences, take};

    fn settings(document: Value) -> Result<Vec<super::Setting>, String> {
        let Value::Object(mut fields) = document else { panic!("an object") };
        take(&mut fields, Path::new(env!("CARGO_MANIFEST_DIR"))).map_err(|failure| failure.to_string())
    }

    #[test]
    fn settings_have_defaults_and_secrets_from_elsewhere() {
        let found = settings(json!({
            "rules": {"failed": {"condition": "run_failed", "receivers": ["b", "a"]}},
            "receivers": {"chat": {"type": "SLACK", "webhook_url": {"file": "Cargo.toml"}}},
            "calendars": {"closed": {"days": ["2026-12-25"]}},
        }))
        .unwrap();
        let kinds: Vec<Kind> = found.iter().map(|setting| setting.kind).collect();
        assert_eq!(kinds, [Kind::Calendar, Kind::Receiver, Kind::Rule]);
        assert_eq!(found[0].fields["timezone"], "Etc/UTC");
        assert!(found[1].fields["webhook_url"].as_str().unwrap().starts_with("[package]"));
        assert_eq!(found[2].fields["condition"], json!({"kind": "BUILT", "promql": "run_failed"}));
        assert_eq!(found[2].fields["receivers"], json!(["a", "b"]));
        let written = settings(json!({"receivers": {"chat": {"webhook_url": "https://x"}}})).unwrap_err();
        assert!(written.starts_with("receivers.chat.webhook_url: must not be written down"), "{written}");
        assert_eq!(settings(json!({"rules": {"x": 1}})).unwrap_err(), "rules.x: must be an object");
    }

    #[test]
    fn what_the_server_does_not_return_is_not_compared() {
        let found = settings(json!({"receivers": {"chat": {"type": "SLACK", "webhook_url": {"file": "Cargo.toml"}}}}));
        let setting = &found.unwrap()[0];
        let stored = json!({"name": "chat", "type": "SLACK", "description": "", "send_resolved": true, "owner": null});
        assert!(differences(setting, Some(&stored)).is_empty());
        let rule = settings(json!({"rules": {"failed": {"condition": "run_failed"}}})).unwrap();
        let stored = json!({
            "description": "", "tag": "", "for_duration": "PT0S", "severity": "HIGH", "enabled": true, "receivers": [],
            "condition": {"kind": "BUILT", "promql": "run_failed", "threshold": 1.0}, "presentation": {"summary": null},
        });
        assert!(differences(&rule[0], Some(&stored)).is_empty());
        let other = json!({"type": "SLACK", "description": "old", "send_resolved": true});
        let fields = differences(setting, Some(&other));
        assert_eq!(
            (fields[0].field.as_str(), fields[0].before.as_deref(), &fields[0].after),
            ("description", Some("old"), &None)
        );
        assert_eq!(differences(setting, None).len(), 2, "its type, and that it tells of the end");
    }
}
