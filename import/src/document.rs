//! Pure: documents in JSON and YAML, and the values in them. The readers bound the depth and the expansion of both.

use std::collections::BTreeMap;

use serde_json::Value;

/// The documents of a text: JSON, also several one after the other, or YAML.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Value>();
    let found = match json.collect::<Result<Vec<Value>, _>>() {
        Ok(found) => found,
        // A mapping of YAML can begin like JSON.
        Err(refused) => serde_saphyr::from_multiple::<Value>(text)
            .map_err(|error| if is_json { refused.to_string() } else { error.to_string() })?,
    };
    let found: Vec<Value> = found.into_iter().filter(|document| !document.is_null()).collect();
    if found.is_empty() {
        return Err("it is empty".into());
    }
    if found.iter().all(|document| document.is_object() || document.is_array()) {
        return Ok(found);
    }
    Err("it is neither a mapping nor a list".into())
}

/// The documents of a text, with the elements of those that are lists in their place.
pub(crate) fn items(text: &str) -> Result<Vec<Value>, String> {
    let flat = documents(text)?.into_iter().flat_map(|document| match document {
        Value::Array(elements) => elements,
        other => vec![other],
    });
    let flat: Vec<Value> = flat.collect();
    if flat.iter().all(Value::is_object) { Ok(flat) } else { Err("it is no list of mappings".into()) }
}

/// A field, unless it is null.
pub(crate) fn field<'a>(of: &'a Value, key: &str) -> Option<&'a Value> {
    of.get(key).filter(|value| !value.is_null())
}

/// A field that is a text with something in it.
pub(crate) fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    field(of, key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// A field that is a text, a number or a truth value, as it is written.
pub(crate) fn scalar(of: &Value, key: &str) -> Option<String> {
    field(of, key).and_then(written)
}

/// A text, a number or a truth value, as it is written.
pub(crate) fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A field that is a list; empty if it is missing.
pub(crate) fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    field(of, key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(crate) fn texts(of: &Value, key: &str) -> Vec<String> {
    list(of, key).iter().filter_map(written).collect()
}

/// A number that fits.
pub(crate) fn count(of: &Value, key: &str) -> Option<u32> {
    field(of, key).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok())
}

/// Whether a field is true.
pub(crate) fn is_true(of: &Value, key: &str) -> bool {
    field(of, key).and_then(Value::as_bool) == Some(true)
}

/// Whether a field is false; not if it is missing.
pub(crate) fn is_false(of: &Value, key: &str) -> bool {
    field(of, key).and_then(Value::as_bool) == Some(false)
}

/// Whether a field has anything in it.
pub(crate) fn is_given(of: &Value, key: &str) -> bool {
    of.get(key).is_some_and(is_filled)
}

/// Whether there is anything in a value.
pub(crate) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The simple values of a mapping.
pub(crate) fn variables(of: &Value, key: &str) -> BTreeMap<String, String> {
    let entries = field(of, key).and_then(Value::as_object);
    let entries = entries.into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), written(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{documents, items, variables};

    #[test]
    fn json_and_yaml_are_read() {
        assert_eq!(documents("{\"a\": 1}\n{\"a\": 2}"), Ok(vec![json!({"a": 1}), json!({"a": 2})]));
        assert_eq!(items("[{}, {\"a\": 1}] [{}] {}"), Ok(vec![json!({}), json!({"a": 1}), json!({}), json!({})]));
        assert!(documents("# a\n").is_err() && documents("").is_err());
        assert!(items("[1]").is_err() && documents("job \"a\" {\n}\n").is_err());
        assert_eq!(documents("on: {a: 06}\n---\n---\nb: off\n").map(|found| found.len()), Ok(2));
        assert_eq!(documents("on:\n  schedule: x\n"), Ok(vec![json!({"on": {"schedule": "x"}})]));
        assert!(documents("{\"a\": ").unwrap_err().contains("EOF"));
        assert!(documents("a: [").is_err());
        let mapping = json!({"env": {"A": "x", "B": 2, "C": true, "D": null, "E": []}});
        assert_eq!(variables(&mapping, "env").into_values().collect::<Vec<_>>(), ["x", "2", "true"]);
    }
}
