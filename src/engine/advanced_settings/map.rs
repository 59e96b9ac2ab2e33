//! Pure: the complete map of settings that the API shows, and the part of it that is stored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::catalog::{SETTINGS, defaults};
use super::validate::parse_value;

/// Every setting: the stored values over the defaults.
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

/// Why a value is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    pub key: &'static str,
    pub reason: String,
}

/// The part of a complete map that is stored: only values that differ from their defaults. Null stands for the default,
/// and unknown keys are ignored, as in the official API. Numbers and booleans may be strings.
///
/// # Errors
/// If a setting does not accept its value.
pub fn reduce(given: &Map<String, Value>) -> Result<BTreeMap<String, Value>, InvalidSetting> {
    let defaults = defaults();
    let mut stored = BTreeMap::new();
    for setting in SETTINGS {
        let Some(value) = given.get(setting.key).filter(|value| !value.is_null()) else { continue };
        let value = parse_value(setting.kind, value).map_err(|reason| InvalidSetting { key: setting.key, reason })?;
        if defaults.get(setting.key) != Some(&value) {
            stored.insert(setting.key.to_owned(), value);
        }
    }
    Ok(stored)
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
