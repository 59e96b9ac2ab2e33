//! Pure: the whole map of settings that callers see, and the part of it that is stored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::catalog::{SETTINGS, defaults};
use super::validate::parse_value;

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
pub struct InvalidSetting {
    pub key: &'static str,
    pub reason: String,
}

/// What is to be stored of a whole map: only what is not at its default. Null stands for the default, and unknown keys
/// are dropped, as the official API does. Numbers and booleans may be written as text.
///
/// # Errors
/// When a value is not of the kind of its setting.
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
