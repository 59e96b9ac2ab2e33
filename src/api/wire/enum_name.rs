//! Enums are stored under their official names.

use serde::{Deserialize, Serialize};

/// The official name of an enum value.
pub(in crate::api) fn enum_name(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned))
}

/// The enum value with an official name.
pub(in crate::api) fn enum_value<T: for<'de> Deserialize<'de>>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}
