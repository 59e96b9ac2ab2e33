//! Integers that may be sent as text.

use serde::{Deserialize, Deserializer};

/// Reads an integer. Web forms send it as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(i64),
        Decimal(f64),
        Text(String),
    }
    use serde::de::Error as _;
    let whole = match NumberOrText::deserialize(deserializer).map_err(|_| D::Error::custom("must be an integer"))? {
        NumberOrText::Number(number) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers in range pass the filter")]
        NumberOrText::Decimal(number) => Some(number).filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64),
        NumberOrText::Text(text) => text.trim().parse().ok(),
    };
    whole
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("must be an integer of at most {}", i32::MAX)))
}

/// Reads an optional integer. Null and empty text mean `None`.
pub(in crate::api) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    match value {
        None => Ok(None),
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => number(value).map(Some).map_err(serde::de::Error::custom),
    }
}
