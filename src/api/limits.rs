//! Bounds on what is written, each with an error that names the field.

use crate::error::{Error, Result};

/// The longest name, in characters.
pub(super) const NAME: usize = 255;
/// The longest text, in characters: scripts are given as arguments.
pub(super) const TEXT: usize = 65_536;
/// The most items of a list.
pub(super) const ITEMS: usize = 1000;

/// A name: not empty, without control characters; white space around it is removed.
pub(super) fn name(field: &str, given: &str) -> Result<String> {
    let name = given.trim();
    if name.is_empty() {
        return Err(Error::invalid(field, "is empty"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "has control characters"));
    }
    at_most(field, name, NAME)?;
    Ok(name.to_owned())
}

/// A text of bounded length.
pub(super) fn text(field: &str, given: String) -> Result<String> {
    at_most(field, &given, TEXT)?;
    if given.contains('\0') {
        return Err(Error::invalid(field, "has a NUL character"));
    }
    Ok(given)
}

/// A list of texts, both bounded.
pub(super) fn list(field: &str, given: Vec<String>) -> Result<Vec<String>> {
    if given.len() > ITEMS {
        return Err(Error::invalid(field, format!("has more than {ITEMS} items")));
    }
    given.into_iter().enumerate().map(|(place, item)| text(&format!("{field}[{place}]"), item)).collect()
}

/// A number between two bounds, both allowed.
pub(super) fn between(field: &str, given: i32, low: i32, high: i32) -> Result<i32> {
    if (low..=high).contains(&given) {
        Ok(given)
    } else if high == i32::MAX {
        Err(Error::invalid(field, format!("{given} is below {low}")))
    } else {
        Err(Error::invalid(field, format!("{given} is not between {low} and {high}")))
    }
}

fn at_most(field: &str, given: &str, limit: usize) -> Result<()> {
    if given.chars().count() > limit {
        return Err(Error::invalid(field, format!("has more than {limit} characters")));
    }
    Ok(())
}
