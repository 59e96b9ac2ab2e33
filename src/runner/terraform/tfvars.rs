//! Pure: lines of a file of variable values (`.tfvars`).

use std::fmt::Write as _;

/// A line with an expression, which is written unchanged, or with a quoted string.
#[must_use]
pub fn value_line(key: &str, value: &str, expression: bool) -> String {
    if expression { format!("{key} = {value}\n") } else { format!("{key} = \"{}\"\n", text_literal(value)) }
}

/// Escapes a string for use between quotes.
#[must_use]
pub fn text_literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // `${` and `%{` start a template; doubling the first character escapes them.
            '$' | '%' if letters.peek() == Some(&'{') => {
                text.push(letter);
                text.push(letter);
            }
            control if u32::from(control) < 0x20 => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text
}

/// Whether a key is a valid name of a Terraform variable.
#[must_use]
pub fn is_name(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::{is_name, value_line};

    #[test]
    fn values_are_texts_or_expressions() {
        assert_eq!(value_line("a", "1", false), "a = \"1\"\n");
        assert_eq!(value_line("a", "[1, 2]", true), "a = [1, 2]\n");
        assert_eq!(value_line("a", "\"${x}\"\n\\%{y}$z\u{1}", false), "a = \"\\\"$${x}\\\"\\n\\\\%%{y}$z\\u0001\"\n");
        assert!(is_name("a_B-1") && !is_name("1a") && !is_name("a=b") && !is_name(""));
    }
}
