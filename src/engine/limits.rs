//! Limits of input values. Each error names the field.

use crate::error::{Error, Result};
use crate::input::commit_hash::is_hash;
use crate::input::stored_text;
use crate::secret::Origin;

/// The maximum length of a name, in characters.
pub const NAME: usize = 255;
/// The maximum length of a text, in characters. It is high because scripts are passed as arguments.
pub const TEXT: usize = 65_536;
/// The maximum size of the content of a file, in bytes.
const FILE_BYTES: usize = 1024 * 1024;
/// The maximum number of items in a list.
pub const ITEMS: usize = 1000;

/// A name: not empty and without control characters. Surrounding white space is removed.
///
/// # Errors
/// `Invalid` if it is empty, too long, or has control characters.
pub fn name(field: &str, value: &str) -> Result<String> {
    let name = value.trim();
    if name.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not contain control characters"));
    }
    at_most(field, name, NAME)?;
    Ok(name.to_owned())
}

/// The content of a file.
///
/// # Errors
/// `Invalid` if it is too large, or cannot be stored.
pub fn file(field: &str, value: String) -> Result<String> {
    if value.len() > FILE_BYTES {
        return Err(Error::invalid(field, "must have at most 1 MiB (1048576 bytes), because the variable is a file"));
    }
    stored_text::check(field, &value)?;
    Ok(value)
}

/// A text of limited length.
///
/// # Errors
/// `Invalid` if it is too long, or cannot be stored.
pub fn text(field: &str, value: String) -> Result<String> {
    at_most(field, &value, TEXT)?;
    stored_text::check(field, &value)?;
    Ok(value)
}

/// A list of limited length, of texts of limited length.
///
/// # Errors
/// `Invalid` if the list or one of its texts is too long.
pub fn list(field: &str, value: Vec<String>) -> Result<Vec<String>> {
    if value.len() > ITEMS {
        return Err(Error::invalid(field, format!("must have at most {ITEMS} items")));
    }
    value.into_iter().enumerate().map(|(index, item)| text(&format!("{field}[{index}]"), item)).collect()
}

/// A number between two bounds, inclusive.
///
/// # Errors
/// `Invalid` if it is outside.
pub fn between(field: &str, value: i32, low: i32, high: i32) -> Result<i32> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else if high == i32::MAX {
        Err(Error::invalid(field, format!("must be at least {low}, not {value}")))
    } else {
        Err(Error::invalid(field, format!("must be between {low} and {high}, not {value}")))
    }
}

fn at_most(field: &str, value: &str, limit: usize) -> Result<()> {
    if value.chars().count() > limit {
        return Err(Error::invalid(field, format!("must have at most {limit} characters")));
    }
    Ok(())
}

/// The hash of a commit, full or abbreviated.
///
/// # Errors
/// `Invalid` if it is none.
pub fn commit(field: &str, value: &str) -> Result<String> {
    let hash = value.trim().to_ascii_lowercase();
    if is_hash(&hash) {
        Ok(hash)
    } else {
        Err(Error::invalid(field, "must be the hash of a commit (7 to 64 hexadecimal digits)"))
    }
}

/// The name of an image, without the host of its registry.
///
/// # Errors
/// `Invalid` if it is none.
pub fn image_name(field: &str, value: &str) -> Result<String> {
    let path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let parts = value.split('/').all(|part| !part.is_empty() && !part.chars().all(|c| c == '.'));
    if value.len() > NAME || !value.chars().all(path) || !parts {
        let text =
            "must be the name of an image: lower-case letters, digits and . _ - / without the host of the registry";
        return Err(Error::invalid(field, text));
    }
    Ok(value.to_owned())
}

/// The name of an image, with or without a digest.
///
/// # Errors
/// `Invalid` if it is none.
pub fn pinned_image(field: &str, value: &str) -> Result<String> {
    match value.split_once('@') {
        None => image_name(field, value),
        Some((name, digest)) if is_digest(digest) => Ok(format!("{}@{digest}", image_name(field, name)?)),
        Some(_) => {
            Err(Error::invalid(field, "must have a digest of the form sha256: and 64 hexadecimal digits after the @"))
        }
    }
}

fn is_digest(text: &str) -> bool {
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
}

/// The tag of an image, as the Docker reference format defines it, or a digest.
///
/// # Errors
/// `Invalid` if it is none.
pub fn image_tag(field: &str, value: &str) -> Result<String> {
    if is_digest(value) {
        return Ok(value.to_owned());
    }
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if value.is_empty() || value.len() > 128 || !value.chars().all(word) || value.starts_with(['.', '-']) {
        return Err(Error::invalid(
            field,
            "must be an image tag (up to 128 letters, digits and . _ -) or a sha256 digest",
        ));
    }
    Ok(value.to_owned())
}

/// An http or https URL with a host and without a login. Its scheme, in which case does not count, is stored in lower case, because
/// git knows no other.
///
/// # Errors
/// `Invalid` if it is none.
pub fn web_address(field: &str, value: &str) -> Result<String> {
    let refused = || Error::invalid(field, "must be an http:// or https:// URL without a login");
    // Without these two characters, an address is the short form of ssh, or none at all.
    let (scheme, rest) = value.split_once("://").ok_or_else(refused)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_valid = Origin::of(value).is_some_and(|origin| origin.is_web())
        && !authority.contains('@')
        && value.chars().all(|c| c.is_ascii_graphic());
    if !is_valid || value.len() > 2048 {
        return Err(refused());
    }
    Ok(format!("{}://{rest}", scheme.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::web_address;

    #[test]
    fn web_addresses_are_http_or_https_without_a_login() {
        for (given, stored) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.com:8443/a@b?c=d@e#f@g", "https://Example.com:8443/a@b?c=d@e#f@g"),
            ("http://[::1]:8080/a://b", "http://[::1]:8080/a://b"),
        ] {
            assert_eq!(web_address("url", given).ok().as_deref(), Some(stored));
        }
        let long = format!("https://example.com/{}", "a".repeat(2048));
        for refused in [
            "",
            "https://",
            "example.com",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data:text/html,x",
            "ext::touch",
            "ssh://git@example.com/a",
            "ssh://example.com/a",
            "git@example.com:a.git",
            "https:example.com",
            "https:/example.com",
            "https:me@example.com",
            "https://me@example.com/a",
            "https://@example.com/a",
            "https://me:pw@example.com/a",
            "HTTPS://me:pw@example.com/a",
            "Http://me:pw@example.com?a",
            "https://me:pw@example.com#a",
            "https://example.com/a b",
            "https://example.com\\@example.org/",
            long.as_str(),
        ] {
            assert!(web_address("url", refused).is_err(), "{refused}");
        }
    }
}
