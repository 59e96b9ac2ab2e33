//! What the keys, paths and descriptions of variables have to satisfy.

use super::super::limits;
use crate::error::{Error, Result};

/// The longest key, in characters.
const KEY: usize = 255;

/// The longest description, in characters (official limit).
const DESCRIPTION: usize = 255;

/// The longest path of a file, in characters.
const PATH: usize = 1024;

/// The name of a variable, as a shell and the official rules take it.
pub(super) fn key(field: &str, given: &str) -> Result<String> {
    let plain = given.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if given.is_empty() || !plain || given.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::invalid(field, "is not a name of letters, digits and _ that begins with no digit"));
    }
    if given.len() > KEY {
        return Err(Error::invalid(field, format!("has more than {KEY} characters")));
    }
    if given.to_ascii_uppercase().starts_with("QOVERY") || given.starts_with("__") {
        return Err(Error::invalid(field, "begins with QOVERY or __, which is kept for built-in variables"));
    }
    Ok(given.to_owned())
}

pub(super) fn path(given: String) -> Result<String> {
    let parts = given.split('/').skip(1);
    let plain = given.starts_with('/')
        && given.len() > 1
        && parts.clone().all(|part| !part.is_empty() && part != "." && part != "..")
        && !given.chars().any(char::is_control);
    if !plain || given.chars().count() > PATH {
        return Err(Error::invalid("mount_path", "is not the absolute path of a file"));
    }
    Ok(given)
}

pub(super) fn description(given: String) -> Result<String> {
    if given.chars().count() > DESCRIPTION {
        return Err(Error::invalid("description", format!("has more than {DESCRIPTION} characters")));
    }
    limits::text("description", given)
}
