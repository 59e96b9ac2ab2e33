//! Pure: values of variables, as lines of a file (`.tfvars`) and as options on a command line.

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

/// The most bytes of values that are passed as options: an environment variable has room for twice as many.
pub const LOOSE_BYTES: usize = 64 * 1024;

/// Whether the meaning of a value depends on the type of its variable: an option is an expression if the variable is a
/// collection, and a string if it is a string. A file of values has no such choice.
#[must_use]
pub fn depends_on_type(value: &str) -> bool {
    let value = value.trim();
    value.starts_with(['[', '{', '"']) || ["true", "false", "null"].contains(&value) || value.parse::<f64>().is_ok()
}

/// The option with a value, quoted for the `TF_CLI_ARGS` variables.
#[must_use]
pub fn option(key: &str, value: &str) -> String {
    format!(" '-var={key}={}'", value.replace('\'', "'\\''"))
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
    use super::{depends_on_type, is_name, option, value_line};

    #[test]
    fn some_values_depend_on_the_type() {
        for value in ["[\"a\"]", " {a = 1}", "\"a\"", "true", "null", "-1.5e3"] {
            assert!(depends_on_type(value), "{value}");
        }
        for value in ["", "a", "eu-west-1", "1 a", "truely", "10.0.0.0/8"] {
            assert!(!depends_on_type(value), "{value}");
        }
        assert_eq!(option("a", "[\"it's\"]"), r#" '-var=a=["it'\''s"]'"#);
    }

    #[test]
    fn values_are_texts_or_expressions() {
        assert_eq!(value_line("a", "1", false), "a = \"1\"\n");
        assert_eq!(value_line("a", "[1, 2]", true), "a = [1, 2]\n");
        assert_eq!(value_line("a", "\"${x}\"\n\\%{y}$z\u{1}", false), "a = \"\\\"$${x}\\\"\\n\\\\%%{y}$z\\u0001\"\n");
        assert!(is_name("a_B-1") && !is_name("1a") && !is_name("a=b") && !is_name(""));
    }
}
