//! Pure: expressions and blocks of Terraform's language.

use crate::runner::terraform::tfvars::text_literal;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Text(String),
    Number(i64),
    Boolean(bool),
    /// A reference or a call, as it is written.
    Plain(String),
    List(Vec<Expression>),
    Object(Vec<(String, Expression)>),
    /// The JSON text of an object with any keys.
    Json(Vec<(String, Expression)>),
}

/// The arguments of a block, in order.
pub(super) type Arguments = Vec<(String, Expression)>;

impl From<&str> for Expression {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Expression {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Expression {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&serde_json::Value> for Expression {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Plain("null".into()),
            serde_json::Value::Bool(value) => Self::Boolean(*value),
            serde_json::Value::Number(number) => Self::Plain(number.to_string()),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(fields) => {
                let quoted = |key: &str| format!("\"{}\"", text_literal(key));
                Self::Object(fields.iter().map(|(key, value)| (quoted(key), Self::from(value))).collect())
            }
        }
    }
}

/// A list of texts.
pub(super) fn texts(texts: &[String]) -> Expression {
    Expression::List(texts.iter().map(|text| text.as_str().into()).collect())
}

/// An argument, unless there is no value.
pub(super) fn optional(key: &str, value: Option<impl Into<Expression>>) -> Option<(String, Expression)> {
    value.map(|value| (key.to_owned(), value.into()))
}

/// An argument.
pub(super) fn argument(key: &str, value: impl Into<Expression>) -> (String, Expression) {
    (key.to_owned(), value.into())
}

/// A block: its type, its labels, and its arguments, written as `terraform fmt` does.
pub(super) fn block(kind: &str, labels: &[&str], arguments: &[(String, Expression)]) -> String {
    let labels: String = labels.iter().map(|label| format!(" \"{}\"", text_literal(label))).collect();
    if arguments.is_empty() {
        return format!("{kind}{labels} {{}}\n");
    }
    format!("{kind}{labels} {{\n{}}}\n", body(arguments, 1))
}

/// Arguments, one a line. The equals signs of neighbours on single lines are aligned.
fn body(arguments: &[(String, Expression)], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let written: Vec<(&str, String)> =
        arguments.iter().map(|(key, value)| (key.as_str(), value.written(depth))).collect();
    let mut text = String::new();
    for group in written.chunk_by(|one, other| !one.1.contains('\n') && !other.1.contains('\n')) {
        let width = group.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in group {
            text.push_str(&format!("{indent}{key:width$} = {value}\n"));
        }
    }
    text
}

impl Expression {
    /// The expression inside a block of this depth.
    fn written(&self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        match self {
            Self::Text(text) => format!("\"{}\"", text_literal(text)),
            Self::Number(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Plain(text) => text.clone(),
            Self::List(items) if items.iter().any(Self::is_object) => {
                let items: String =
                    items.iter().map(|item| format!("{indent}  {},\n", item.written(depth + 1))).collect();
                format!("[\n{items}{indent}]")
            }
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.written(depth)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Object(fields) if fields.is_empty() => "{}".into(),
            Self::Object(fields) => format!("{{\n{}{indent}}}", body(fields, depth + 1)),
            Self::Json(fields) => format!("jsonencode({})", Self::Object(fields.clone()).written(depth)),
        }
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object(fields) if !fields.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, argument, block, texts};
    use proptest::prelude::*;

    #[test]
    fn blocks_are_written_as_fmt_does() {
        let object = Expression::Object(vec![argument("a", 1), argument("long", true)]);
        let arguments = [
            argument("name", "x"),
            argument("n", 2),
            argument("empty", Expression::Object(Vec::new())),
            argument("object", object.clone()),
            argument("list", texts(&["a".into(), "b".into()])),
            argument("objects", Expression::List(vec![object])),
            argument("settings", Expression::Json(vec![argument("\"a.b\"", 1)])),
        ];
        let expected = "resource \"kind\" \"label\" {\n  name  = \"x\"\n  n     = 2\n  empty = {}\n  object = {\n    a    = 1\n    \
                        long = true\n  }\n  list = [\"a\", \"b\"]\n  objects = [\n    {\n      a    = 1\n      long = true\n    },\n  \
                        ]\n  settings = jsonencode({\n    \"a.b\" = 1\n  })\n}\n";
        assert_eq!(block("resource", &["kind", "label"], &arguments), expected);
    }

    /// The text that a quoted literal stands for, by the rules of the language; none if the literal ends early or has a template.
    fn read(literal: &str) -> Option<String> {
        let mut letters = literal.strip_prefix('"')?.strip_suffix('"')?.chars().peekable();
        let mut text = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '"' | '\n' | '\r' => return None,
                '\\' => text.push(match letters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = letters.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    quoted @ ('"' | '\\') => quoted,
                    _ => return None,
                }),
                '$' | '%' if letters.peek() == Some(&letter) => {
                    let mut rest = letters.clone();
                    rest.next();
                    if rest.peek() == Some(&'{') {
                        letters = rest;
                    }
                    text.push(letter);
                }
                '$' | '%' if letters.peek() == Some(&'{') => return None,
                other => text.push(other),
            }
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn every_text_is_one_literal_on_one_line(text in r#"([\x00-\x7f]|[${}%"\\\n\r]|EOT|<<-|\PC){0,40}"#) {
            let written = Expression::Text(text.clone()).written(0);
            prop_assert_eq!(read(&written), Some(text));
            prop_assert_eq!(written.lines().count(), 1);
        }
    }
}
