//! Pure: reads JSON of bounded depth and size.

use serde_json::Value;

use super::bounds::{JSON_DEPTH, JSON_VALUES};
use super::refusal::Refusal;
use super::stored_text;

/// Checks the depth and the number of values of a JSON text, without building anything. Syntax is not checked.
///
/// # Errors
/// When the text is too deep, or has too many values.
pub fn check(text: &[u8]) -> Result<(), Refusal> {
    let (mut depth, mut values) = (0_usize, 1_usize);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for byte in text {
        if is_quoted {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_quoted = true,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > JSON_DEPTH {
            return Err(Refusal::new("", format!("a JSON document must be at most {JSON_DEPTH} levels deep")));
        }
        if values > JSON_VALUES {
            return Err(Refusal::new("", format!("a JSON document must have at most {JSON_VALUES} values")));
        }
    }
    Ok(())
}

/// Reads a JSON text whose strings can be stored.
///
/// # Errors
/// When it is not JSON, is too deep or too large, or has a string that cannot be stored.
pub fn parse(text: &[u8]) -> Result<Value, Refusal> {
    check(text)?;
    let tree = serde_json::from_slice(text).map_err(|error| Refusal::new("", error.to_string()))?;
    stored_text::check_tree(&tree)?;
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::{JSON_DEPTH, JSON_VALUES, check, parse};

    #[test]
    fn depth_is_refused_just_above_its_bound() {
        let deep = |depth: usize| format!("{}1{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(parse(deep(JSON_DEPTH).as_bytes()).is_ok());
        let refusal = parse(deep(JSON_DEPTH + 2).as_bytes()).unwrap_err();
        assert_eq!(refusal.to_string(), "a JSON document must be at most 64 levels deep");
        // The brackets of a string are none, and an escaped quote does not end it.
        assert!(parse(format!("[\"\\\"{}\"]", "[".repeat(500)).as_bytes()).is_ok());
        // What never ends is refused as well, however far it goes.
        assert!(check("[".repeat(20_000).as_bytes()).is_err());
    }

    #[test]
    fn values_are_refused_just_above_their_bound() {
        let list = |values: usize| format!("[{}1]", "1,".repeat(values - 2));
        assert!(parse(list(JSON_VALUES).as_bytes()).is_ok());
        assert!(parse(list(JSON_VALUES + 1).as_bytes()).is_err());
        assert!(check(format!("[{}", "[],".repeat(JSON_VALUES / 2)).as_bytes()).is_err());
    }
}
