//! Pure: checks the values of advanced settings.

use serde_json::{Value, json};

use super::catalog::SettingKind;

pub(super) fn parse_value(kind: SettingKind, given: &Value) -> Result<Value, String> {
    match kind {
        SettingKind::Number(low, high) | SettingKind::OptionalNumber(low, high) => {
            let number = match given {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_i64(),
            };
            let number = number.filter(|number| (low..=high).contains(number));
            number.map(Value::from).ok_or_else(|| format!("must be an integer between {low} and {high}"))
        }
        SettingKind::Boolean => match given {
            Value::Bool(_) => Ok(given.clone()),
            Value::String(text) if text == "true" || text == "false" => Ok(json!(text == "true")),
            _ => Err("must be true or false".into()),
        },
        SettingKind::Text => match given {
            Value::String(text) if text.chars().count() <= 255 && !text.chars().any(char::is_control) => {
                Ok(given.clone())
            }
            _ => Err("must be a string of at most 255 characters".into()),
        },
        SettingKind::Path => match given {
            Value::String(text) if text.is_empty() => Ok(given.clone()),
            Value::String(text) if is_path(text) => Ok(given.clone()),
            _ => Err("must be the absolute path of a folder, of at most 255 characters, or empty".into()),
        },
        SettingKind::OneOf(values) | SettingKind::OptionalOneOf(values) => match given.as_str() {
            Some(text) if values.contains(&text) => Ok(given.clone()),
            _ => Err(format!("must be one of {}", values.join(", "))),
        },
        SettingKind::ExitCodes => {
            exit_codes(given).ok_or_else(|| "must be a list of at most 50 exit codes (0 to 255)".into())
        }
        SettingKind::Names => {
            let is_name = |name: &str| {
                name.trim() == name && (1..=255).contains(&name.chars().count()) && !name.chars().any(char::is_control)
            };
            match given {
                Value::Array(items)
                    if items.len() <= 20 && items.iter().all(|item| item.as_str().is_some_and(is_name)) =>
                {
                    Ok(given.clone())
                }
                _ => Err("must be a list of at most 20 names".into()),
            }
        }
        SettingKind::Texts => {
            let short = |text: &str| text.chars().count() <= 255 && !text.chars().any(char::is_control);
            let plain = |(key, value): (&String, &Value)| short(key) && value.as_str().is_some_and(short);
            match given {
                Value::Object(map) if map.len() <= 100 && map.iter().all(plain) => Ok(given.clone()),
                _ => Err("must be an object with at most 100 string values".into()),
            }
        }
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.chars().count() <= 255 && !text.chars().any(char::is_control)
}

/// A list of numbers, or a string of numbers separated by commas.
fn exit_codes(given: &Value) -> Option<Value> {
    let codes: Vec<i64> = match given {
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?,
        Value::Array(items) => items.iter().map(Value::as_i64).collect::<Option<_>>()?,
        _ => return None,
    };
    (codes.len() <= 50 && codes.iter().all(|code| (0..=255).contains(code))).then(|| json!(codes))
}
