//! Pure: the advanced settings of jobs: their keys, types and defaults (names and defaults of the official API).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number between two bounds.
    Number(i64, i64),
    /// The same, or null.
    OptionalNumber(i64, i64),
    Boolean,
    /// A text of at most 255 characters.
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One of these, or null.
    OptionalOneOf(&'static [&'static str]),
    /// A list of at most 50 exit codes.
    ExitCodes,
    /// From text to text, at most 100 pairs.
    Texts,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub key: &'static str,
    pub kind: Kind,
}

const DAY: i64 = 86_400;
const LARGE: i64 = i32::MAX as i64;

/// All settings.
pub const ALL: [Setting; 28] = [
    Setting { key: "build.timeout_max_sec", kind: Kind::Number(0, DAY) },
    Setting { key: "build.cpu_max_in_milli", kind: Kind::Number(0, LARGE) },
    Setting { key: "build.ram_max_in_gib", kind: Kind::Number(0, LARGE) },
    Setting { key: "build.disable_buildkit_cache", kind: Kind::Boolean },
    Setting { key: "build.skip_git_submodules", kind: Kind::Boolean },
    Setting { key: "deployment.termination_grace_period_seconds", kind: Kind::Number(0, DAY) },
    Setting { key: "deployment.affinity.node.required", kind: Kind::Texts },
    Setting { key: "job.delete_ttl_seconds_after_finished", kind: Kind::OptionalNumber(0, LARGE) },
    Setting { key: "cronjob.concurrency_policy", kind: Kind::OneOf(&["Forbid", "Allow", "Replace", "Queue"]) },
    Setting { key: "cronjob.failed_jobs_history_limit", kind: Kind::Number(0, 10_000) },
    Setting { key: "cronjob.success_jobs_history_limit", kind: Kind::Number(0, 10_000) },
    Setting { key: "security.service_account_name", kind: Kind::Text },
    Setting { key: "security.automount_service_account_token", kind: Kind::Boolean },
    Setting { key: "security.read_only_root_filesystem", kind: Kind::Boolean },
    Setting { key: "cronjob.missed_runs", kind: Kind::OneOf(&["none", "latest", "all"]) },
    Setting { key: "cronjob.missed_runs_limit", kind: Kind::Number(1, 1000) },
    Setting { key: "cronjob.starting_deadline_seconds", kind: Kind::OptionalNumber(1, LARGE) },
    Setting { key: "cronjob.jitter_seconds", kind: Kind::Number(0, DAY) },
    Setting { key: "cronjob.dst_gap", kind: Kind::OptionalOneOf(&["run_after", "skip"]) },
    Setting { key: "cronjob.dst_overlap", kind: Kind::OptionalOneOf(&["first", "last", "both"]) },
    Setting { key: "cronjob.suspend", kind: Kind::Boolean },
    Setting { key: "job.retry_backoff_seconds", kind: Kind::Number(0, DAY) },
    Setting { key: "job.success_exit_codes", kind: Kind::ExitCodes },
    Setting { key: "job.fail_fast_exit_codes", kind: Kind::ExitCodes },
    Setting { key: "job.history_succeeded_count", kind: Kind::Number(1, 10_000) },
    Setting { key: "job.history_failed_count", kind: Kind::Number(1, 10_000) },
    Setting { key: "job.history_succeeded_days", kind: Kind::Number(1, 3650) },
    Setting { key: "job.history_failed_days", kind: Kind::Number(1, 3650) },
];

/// The default of every setting.
#[must_use]
pub fn defaults() -> Map<String, Value> {
    let values = [
        json!(1800),
        json!(4000),
        json!(8),
        json!(false),
        json!(false),
        json!(60),
        json!({}),
        Value::Null,
        json!("Forbid"),
        json!(1),
        json!(1),
        json!(""),
        json!(false),
        json!(false),
        json!("latest"),
        json!(100),
        Value::Null,
        json!(0),
        Value::Null,
        Value::Null,
        json!(false),
        json!(10),
        json!([]),
        json!([]),
        json!(100),
        json!(200),
        json!(30),
        json!(90),
    ];
    ALL.iter().map(|setting| setting.key.to_owned()).zip(values).collect()
}

/// Every setting: the stored ones over the defaults.
#[must_use]
pub fn complete(stored: &BTreeMap<String, Value>) -> Map<String, Value> {
    let mut all = defaults();
    for (key, value) in stored {
        if let Some(place) = all.get_mut(key) {
            *place = value.clone();
        }
    }
    all
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub key: &'static str,
    pub reason: String,
}

/// What is to be stored of a whole map: only what is not at its default. Null stands for the default, and unknown keys
/// are dropped, as the official API does. Numbers and booleans may be written as text.
///
/// # Errors
/// When a value is not of the kind of its setting.
pub fn reduce(given: &Map<String, Value>) -> Result<BTreeMap<String, Value>, Refused> {
    let defaults = defaults();
    let mut stored = BTreeMap::new();
    for setting in ALL {
        let Some(value) = given.get(setting.key).filter(|value| !value.is_null()) else { continue };
        let value = read(setting.kind, value).map_err(|reason| Refused { key: setting.key, reason })?;
        if defaults.get(setting.key) != Some(&value) {
            stored.insert(setting.key.to_owned(), value);
        }
    }
    Ok(stored)
}

fn read(kind: Kind, given: &Value) -> Result<Value, String> {
    match kind {
        Kind::Number(low, high) | Kind::OptionalNumber(low, high) => {
            let number = match given {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_i64(),
            };
            let number = number.filter(|number| (low..=high).contains(number));
            number.map(Value::from).ok_or_else(|| format!("is not a whole number between {low} and {high}"))
        }
        Kind::Boolean => match given {
            Value::Bool(_) => Ok(given.clone()),
            Value::String(text) if text == "true" || text == "false" => Ok(json!(text == "true")),
            _ => Err("is neither true nor false".into()),
        },
        Kind::Text => match given {
            Value::String(text) if text.chars().count() <= 255 && !text.chars().any(char::is_control) => {
                Ok(given.clone())
            }
            _ => Err("is not a text of at most 255 characters".into()),
        },
        Kind::OneOf(values) | Kind::OptionalOneOf(values) => match given.as_str() {
            Some(text) if values.contains(&text) => Ok(given.clone()),
            _ => Err(format!("is not one of {}", values.join(", "))),
        },
        Kind::ExitCodes => exit_codes(given).ok_or_else(|| "is not a list of at most 50 exit codes (0 to 255)".into()),
        Kind::Texts => {
            let short = |text: &str| text.chars().count() <= 255 && !text.chars().any(char::is_control);
            let plain = |(key, value): (&String, &Value)| short(key) && value.as_str().is_some_and(short);
            match given {
                Value::Object(map) if map.len() <= 100 && map.iter().all(plain) => Ok(given.clone()),
                _ => Err("is not an object of at most 100 texts".into()),
            }
        }
    }
}

/// A list of numbers, or their text with commas between.
fn exit_codes(given: &Value) -> Option<Value> {
    let codes: Vec<i64> = match given {
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?,
        Value::Array(items) => items.iter().map(Value::as_i64).collect::<Option<_>>()?,
        _ => return None,
    };
    (codes.len() <= 50 && codes.iter().all(|code| (0..=255).contains(code))).then(|| json!(codes))
}

/// One job's settings, with the defaults where nothing is stored.
#[derive(Clone, Copy)]
pub struct Settings<'a>(pub &'a BTreeMap<String, Value>);

impl Settings<'_> {
    /// A number; none where it is null.
    #[must_use]
    pub fn number(self, key: &str) -> Option<i32> {
        let value = self.0.get(key).cloned().or_else(|| default_of(key))?;
        value.as_i64().and_then(|number| i32::try_from(number).ok())
    }

    /// A text; none where it is null.
    #[must_use]
    pub fn text(self, key: &str) -> Option<String> {
        self.0.get(key).cloned().or_else(|| default_of(key))?.as_str().map(str::to_owned)
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Texts by text.
    #[must_use]
    pub fn texts(self, key: &str) -> BTreeMap<String, String> {
        let map = self.0.get(key).and_then(Value::as_object).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// A list of exit codes.
    #[must_use]
    pub fn exit_codes(self, key: &str) -> Vec<i32> {
        let codes = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        codes.filter_map(Value::as_i64).filter_map(|code| i32::try_from(code).ok()).collect()
    }
}

fn default_of(key: &str) -> Option<Value> {
    defaults().remove(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_are_not_stored() {
        assert_eq!(defaults().len(), ALL.len());
        assert_eq!(reduce(&defaults()).unwrap(), BTreeMap::new());
    }

    #[test]
    fn what_is_given_comes_back_without_unknown_keys() {
        let given = json!({
            "build.timeout_max_sec": "60",
            "cronjob.concurrency_policy": "Allow",
            "job.delete_ttl_seconds_after_finished": 5,
            "security.service_account_name": null,
            "job.success_exit_codes": "3, 4",
            "network.ingress": 1,
        });
        let stored = reduce(given.as_object().unwrap()).unwrap();
        let all = complete(&stored);
        assert_eq!(all["build.timeout_max_sec"], 60);
        assert_eq!(all["cronjob.concurrency_policy"], "Allow");
        assert_eq!(all["job.delete_ttl_seconds_after_finished"], 5);
        assert_eq!((all.len(), stored.len()), (ALL.len(), 4));
        assert_eq!(Settings(&stored).exit_codes("job.success_exit_codes"), [3, 4]);
        assert_eq!(Settings(&stored).number("job.retry_backoff_seconds"), Some(10));
        assert_eq!(reduce(&all).unwrap(), stored, "reading and writing back changes nothing");
    }

    #[test]
    fn wrong_values_are_refused_by_key() {
        for (key, value) in [
            ("build.timeout_max_sec", json!(-1)),
            ("build.timeout_max_sec", json!(1.5)),
            ("build.disable_buildkit_cache", json!("yes")),
            ("cronjob.concurrency_policy", json!("Forbidden")),
            ("security.service_account_name", json!("a\u{0}")),
            ("job.success_exit_codes", json!([256])),
            ("job.success_exit_codes", json!("1,x")),
            ("cronjob.dst_gap", json!("never")),
            ("deployment.affinity.node.required", json!({"a": 1})),
        ] {
            let refused = reduce(json!({key: value}).as_object().unwrap()).unwrap_err();
            assert_eq!(refused.key, key);
        }
    }
}
