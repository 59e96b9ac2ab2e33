//! Validates the keys, paths and descriptions of variables.

use entity::variable::Model;

use crate::engine::limits;
use crate::engine::variables::{check_key, hides_file};
use crate::error::{Error, Result};

/// The maximum length of a key, in characters.
const MAX_KEY_LENGTH: usize = 255;

/// The maximum length of a description, in characters, as in the official API.
const MAX_DESCRIPTION_LENGTH: usize = 255;

/// The maximum length of a file path, in characters.
const MAX_PATH_LENGTH: usize = 1024;

/// A key that shells and the official API accept.
pub(in crate::engine) fn key(field: &str, value: &str) -> Result<String> {
    check_key(value, MAX_KEY_LENGTH).map_err(|reason| Error::invalid(field, reason))?;
    Ok(value.to_owned())
}

/// A value for a variable, which is a file if it has a path.
pub(in crate::engine) fn value(field: &str, value: String, row: &Model) -> Result<String> {
    if row.mount_path.is_some() { limits::file(field, value) } else { limits::text(field, value) }
}

pub(in crate::engine) fn path(value: String) -> Result<String> {
    let parts = value.split('/').skip(1);
    let is_valid = value.starts_with('/')
        && value.len() > 1
        && parts.clone().all(|part| !part.is_empty() && part != "." && part != "..")
        && !value.chars().any(char::is_control);
    if !is_valid || value.chars().count() > MAX_PATH_LENGTH {
        return Err(Error::invalid("mount_path", "must be the absolute path of a file"));
    }
    if let Some(reason) = hides_file(&value) {
        return Err(Error::invalid("mount_path", reason));
    }
    Ok(value)
}

pub(in crate::engine) fn description(value: String) -> Result<String> {
    if value.chars().count() > MAX_DESCRIPTION_LENGTH {
        return Err(Error::invalid("description", format!("must have at most {MAX_DESCRIPTION_LENGTH} characters")));
    }
    limits::text("description", value)
}
