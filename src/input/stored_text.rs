//! Pure: which text the database can hold. PostgreSQL has no NUL in texts and in JSON; SQLite would store it, and cut it off in
//! comparisons.

use serde_json::Value;

use super::refusal::Refusal;

const NO_NUL: &str = "must not contain NUL characters";

/// Whether a text can be stored.
#[must_use]
pub fn fits(text: &str) -> bool {
    !text.contains('\0')
}

/// Checks a text.
///
/// # Errors
/// When it cannot be stored.
pub fn check(field: &str, text: &str) -> Result<(), Refusal> {
    if fits(text) { Ok(()) } else { Err(Refusal::new(field, NO_NUL)) }
}

/// Checks a text, and that it has at most `most` characters.
///
/// # Errors
/// When it cannot be stored, or is too long.
pub fn check_length(field: &str, text: &str, most: usize) -> Result<(), Refusal> {
    check(field, text)?;
    // A character has at least one byte.
    if text.len() > most && text.chars().count() > most {
        return Err(Refusal::new(field, format!("must have at most {most} characters")));
    }
    Ok(())
}

/// Checks all texts and keys of a JSON tree. The field of the error is the path, such as `a.b[0]`.
///
/// # Errors
/// When one of them cannot be stored.
pub fn check_tree(tree: &Value) -> Result<(), Refusal> {
    let fits = match tree {
        Value::String(text) => fits(text),
        Value::Array(items) => {
            return items.iter().enumerate().try_for_each(|(at, item)| within(&format!("[{at}]"), item));
        }
        Value::Object(entries) => {
            return entries.iter().try_for_each(|(key, value)| {
                check("", key).map_err(|_| Refusal::new("", "a key must not contain NUL characters"))?;
                within(key, value)
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    if fits { Ok(()) } else { Err(Refusal::new("", NO_NUL)) }
}

/// Checks a part of a tree, and puts its name before the path of what is refused.
fn within(name: &str, part: &Value) -> Result<(), Refusal> {
    check_tree(part).map_err(|refusal| {
        let path = match refusal.field.as_str() {
            "" => name.to_owned(),
            rest if rest.starts_with('[') => format!("{name}{rest}"),
            rest => format!("{name}.{rest}"),
        };
        Refusal::new(path, refusal.message)
    })
}

/// Checks the path and the query string of a request, which are still percent-encoded.
///
/// # Errors
/// Names the parameter of the query string, or the path.
pub fn check_address(path: &str, query: Option<&str>) -> Result<(), Refusal> {
    const ENCODED: &str = "%00";
    if path.contains(ENCODED) {
        return Err(Refusal::new("path", NO_NUL));
    }
    let parameter = query.unwrap_or_default().split('&').find(|pair| pair.contains(ENCODED));
    match parameter {
        None => Ok(()),
        Some(pair) => {
            let name = pair.split('=').next().filter(|name| !name.contains('%')).unwrap_or("query");
            Err(Refusal::new(name, NO_NUL))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, check_address, check_length, check_tree};

    #[test]
    fn nul_is_refused_by_the_name_of_its_field() {
        assert_eq!(check("name", "a\u{1}\u{ffff}\u{10ffff}"), Ok(()));
        assert_eq!(check("name", "a\0").unwrap_err().to_string(), "name: must not contain NUL characters");
        for (tree, field) in [
            (json!({"a": [{"b": "\0"}]}), "a[0].b"),
            (json!([["x"], ["x", "\0"]]), "[1][1]"),
            (json!({"a": {"b\0": 1}}), "a"),
            (json!("\0"), ""),
        ] {
            assert_eq!(check_tree(&tree).unwrap_err().field, field, "{tree}");
        }
        assert_eq!(check_tree(&json!({"a": ["b", 1, null, true, {"c": "\\0"}]})), Ok(()));
    }

    #[test]
    fn the_address_is_checked_while_encoded() {
        assert_eq!(check_address("/a%2500", Some("x=%2500&y=0%")), Ok(()));
        assert_eq!(check_address("/a%00", None).unwrap_err().field, "path");
        assert_eq!(check_address("/a", Some("x=1&name=a%00b")).unwrap_err().field, "name");
        assert_eq!(check_address("/a", Some("x%00=1")).unwrap_err().field, "query");
    }

    #[test]
    fn length_is_refused_just_above_its_bound() {
        assert_eq!(check_length("sub", &"é".repeat(10), 10), Ok(()));
        assert_eq!(
            check_length("sub", &"é".repeat(11), 10).unwrap_err().to_string(),
            "sub: must have at most 10 characters"
        );
    }
}
