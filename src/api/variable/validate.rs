//! Validates the keys, paths and descriptions of variables.

use entity::variable::Model;

use super::super::limits;
use crate::error::{Error, Result};

/// The maximum length of a key, in characters.
const MAX_KEY_LENGTH: usize = 255;

/// The maximum length of a description, in characters, as in the official API.
const MAX_DESCRIPTION_LENGTH: usize = 255;

/// The maximum length of a file path, in characters.
const MAX_PATH_LENGTH: usize = 1024;

/// A key that shells and the official API accept.
pub(super) fn key(field: &str, value: &str) -> Result<String> {
    let is_valid = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if value.is_empty() || !is_valid || value.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::invalid(
            field,
            "must consist of letters, digits and underscores, and must not begin with a digit",
        ));
    }
    if value.len() > MAX_KEY_LENGTH {
        return Err(Error::invalid(field, format!("must have at most {MAX_KEY_LENGTH} characters")));
    }
    if value.to_ascii_uppercase().starts_with("QOVERY") || value.starts_with("__") {
        return Err(Error::invalid(
            field,
            "must not begin with QOVERY or __, which are reserved for built-in variables",
        ));
    }
    Ok(value.to_owned())
}

/// A value for a variable, which is a file if it has a path.
pub(super) fn value(row: &Model, value: String) -> Result<String> {
    if row.mount_path.is_some() { limits::file("value", value) } else { limits::text("value", value) }
}

pub(super) fn path(value: String) -> Result<String> {
    let parts = value.split('/').skip(1);
    let is_valid = value.starts_with('/')
        && value.len() > 1
        && parts.clone().all(|part| !part.is_empty() && part != "." && part != "..")
        && !value.chars().any(char::is_control);
    if !is_valid || value.chars().count() > MAX_PATH_LENGTH {
        return Err(Error::invalid("mount_path", "must be the absolute path of a file"));
    }
    Ok(value)
}

pub(super) fn description(value: String) -> Result<String> {
    if value.chars().count() > MAX_DESCRIPTION_LENGTH {
        return Err(Error::invalid("description", format!("must have at most {MAX_DESCRIPTION_LENGTH} characters")));
    }
    limits::text("description", value)
}
