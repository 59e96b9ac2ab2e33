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

/// The hash of a commit, whole or shortened.
pub(super) fn commit(field: &str, given: &str) -> Result<String> {
    let hash = given.trim().to_ascii_lowercase();
    let plain = (7..=40).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain {
        Ok(hash)
    } else {
        Err(Error::invalid(field, "is not the hash of a commit (7 to 40 hexadecimal digits)"))
    }
}

/// The name of an image, without the host of its registry.
pub(super) fn image_name(field: &str, given: &str) -> Result<String> {
    let path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let parts = given.split('/').all(|part| !part.is_empty() && !part.chars().all(|c| c == '.'));
    if given.len() > NAME || !given.chars().all(path) || !parts {
        let text = "is not the name of an image: lower-case letters, digits and . _ - / without the registry's host";
        return Err(Error::invalid(field, text));
    }
    Ok(given.to_owned())
}

/// The tag of an image, by the rule of the Docker reference format.
pub(super) fn image_tag(field: &str, given: &str) -> Result<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if given.is_empty() || given.len() > 128 || !given.chars().all(word) || given.starts_with(['.', '-']) {
        return Err(Error::invalid(field, "is not a tag: up to 128 letters, digits and . _ -"));
    }
    Ok(given.to_owned())
}

/// The address of something on the web: http or https, a host, and no login in it.
pub(super) fn web_address(field: &str, given: &str) -> Result<String> {
    let rest = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = !host.is_empty() && !host.contains('@') && given.chars().all(|c| c.is_ascii_graphic());
    if !plain || given.len() > 2048 {
        return Err(Error::invalid(field, "is not an http:// or https:// address"));
    }
    Ok(given.to_owned())
}
