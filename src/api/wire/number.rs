//! Numbers that may come as text.

use serde::{Deserialize, Deserializer};

/// Reads a whole number that may come as text, as web forms send it.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Decimal(f64),
        Text(String),
    }
    use serde::de::Error as _;
    let whole = match Written::deserialize(deserializer).map_err(|_| D::Error::custom("expected a whole number"))? {
        Written::Number(number) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers in range pass the filter")]
        Written::Decimal(number) => Some(number).filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64),
        Written::Text(text) => text.trim().parse().ok(),
    };
    whole
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("expected a whole number of at most {}", i32::MAX)))
}

/// Like `number`, with null and empty text as none.
pub(in crate::api) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    match value {
        None => Ok(None),
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => number(value).map(Some).map_err(serde::de::Error::custom),
    }
}
