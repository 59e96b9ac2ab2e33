//! Pure: typed access to the settings of one job.

use std::collections::BTreeMap;

use serde_json::Value;

use super::catalog::SETTINGS;

/// The settings of one job, with the default of each one that is not stored.
#[derive(Clone, Copy)]
pub struct Settings<'a>(pub &'a BTreeMap<String, Value>);

impl Settings<'_> {
    /// A number; `None` if it is null.
    #[must_use]
    pub fn number(self, key: &str) -> Option<i32> {
        let value = self.0.get(key).cloned().or_else(|| default_of(key))?;
        value.as_i64().and_then(|number| i32::try_from(number).ok())
    }

    /// A string; `None` if it is null.
    #[must_use]
    pub fn text(self, key: &str) -> Option<String> {
        self.0.get(key).cloned().or_else(|| default_of(key))?.as_str().map(str::to_owned)
    }

    /// Whether a boolean setting is true.
    #[must_use]
    pub fn is_on(self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A map of strings.
    #[must_use]
    pub fn texts(self, key: &str) -> BTreeMap<String, String> {
        let map = self.0.get(key).and_then(Value::as_object).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// A list of names.
    #[must_use]
    pub fn names(self, key: &str) -> Vec<String> {
        let names = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A list of exit codes.
    #[must_use]
    pub fn exit_codes(self, key: &str) -> Vec<i32> {
        let codes = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        codes.filter_map(Value::as_i64).filter_map(|code| i32::try_from(code).ok()).collect()
    }
}

fn default_of(key: &str) -> Option<Value> {
    SETTINGS.iter().find(|setting| setting.key == key).map(|setting| setting.default())
}
