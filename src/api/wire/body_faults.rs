//! Reads a body into its type. A body that does not fit is refused with all of its faults, each with its field and what is allowed.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use super::shape::Shape;
use crate::input::Refusal;

/// How many faults of a body are named.
const MOST: usize = 20;

/// Reads a body. Numbers and booleans are taken as text where its schema has text.
pub(super) fn read<T: DeserializeOwned>(
    schema: Option<&'static Value>,
    text: &[u8],
    tree: &mut Value,
) -> Result<T, Vec<Refusal>> {
    if let Some(schema) = schema.filter(|schema| has_bare_text(schema, tree))
        && let Ok(raw) = serde_json::from_slice::<&RawValue>(text)
    {
        take_as_text(schema, tree, raw);
    }
    let first = match serde_path_to_error::deserialize(&*tree) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut faults = Vec::new();
    if let Some(schema) = schema {
        mend(schema, tree, "", &mut faults);
    }
    let mut next = if faults.is_empty() { Some(first) } else { serde_path_to_error::deserialize::<_, T>(&*tree).err() };
    while let Some(error) = next.take().filter(|_| faults.len() < MOST) {
        let fault = mend_at(schema, tree, &error);
        if faults.contains(&fault) {
            break;
        }
        faults.push(fault);
        next = serde_path_to_error::deserialize::<_, T>(&*tree).err();
    }
    Err(faults)
}

/// Whether a body has a number or a boolean where its schema has text.
fn has_bare_text(schema: &'static Value, value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => {
            let shape = Shape::of(schema, value);
            shape.kind == Some("string") && shape.allowed.is_empty()
        }
        Value::Array(items) => {
            let shape = Shape::of(schema, value);
            shape.items.is_some_and(|schema| items.iter().any(|item| has_bare_text(schema, item)))
        }
        Value::Object(fields) => {
            let shape = Shape::of(schema, value);
            fields.iter().any(|(key, value)| shape.property(key).is_some_and(|schema| has_bare_text(schema, value)))
        }
        Value::Null | Value::String(_) => false,
    }
}

/// Replaces them by their text as it was sent: 1.10 is not 1.1.
fn take_as_text(schema: &'static Value, value: &mut Value, raw: &RawValue) {
    let shape = Shape::of(schema, value);
    match value {
        Value::Number(_) | Value::Bool(_) if shape.kind == Some("string") && shape.allowed.is_empty() => {
            *value = Value::from(raw.get());
        }
        Value::Array(items) => {
            let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else { return };
            let Some(schema) = shape.items else { return };
            items.iter_mut().zip(raw).for_each(|(item, raw)| take_as_text(schema, item, raw));
        }
        Value::Object(fields) => {
            let Ok(raw) = serde_json::from_str::<HashMap<String, &RawValue>>(raw.get()) else { return };
            for (key, value) in fields {
                if let (Some(schema), Some(raw)) = (shape.property(key), raw.get(key)) {
                    take_as_text(schema, value, raw);
                }
            }
        }
        _ => {}
    }
}

/// Finds the values that have another type than their schema, or are none of the allowed ones, and replaces them.
fn mend(schema: &'static Value, value: &mut Value, path: &str, faults: &mut Vec<Refusal>) {
    if faults.len() >= MOST {
        return;
    }
    let shape = Shape::of(schema, value);
    if !shape.fits(value) {
        if let Some(message) = shape.expectation() {
            faults.push(Refusal { field: path.to_owned(), message });
        }
        *value = shape.example();
        return;
    }
    match value {
        Value::Array(items) => {
            let Some(schema) = shape.items else { return };
            for (place, item) in items.iter_mut().enumerate() {
                mend(schema, item, &format!("{path}[{place}]"), faults);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let selector = shape.selector.as_ref().filter(|(of, _)| of == key);
                let unknown =
                    value.as_str().is_some_and(|text| selector.is_some_and(|(_, known)| !known.contains(&text)));
                if let Some((_, known)) = selector.filter(|_| unknown) {
                    faults.push(Refusal { field: below, message: format!("must be one of {}", known.join(", ")) });
                    *value = known.first().copied().into();
                } else if let Some(schema) = shape.property(key) {
                    mend(schema, value, &below, faults);
                }
            }
        }
        _ => {}
    }
}

/// The fault that an error reports. Its value is replaced, so that the next fault can be found.
fn mend_at(
    schema: Option<&'static Value>,
    tree: &mut Value,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Refusal {
    let (mut value, mut schema) = (tree, schema);
    for segment in error.path() {
        let shape = schema.map(|schema| Shape::of(schema, value));
        let (below, of) = match segment {
            Segment::Map { key } => (value.get_mut(key), shape.and_then(|shape| shape.property(key))),
            Segment::Seq { index } => (value.get_mut(*index), shape.and_then(|shape| shape.items)),
            Segment::Enum { .. } | Segment::Unknown => (None, None),
        };
        let Some(below) = below else { return Refusal { field: path_of(error), message: "is not valid".into() } };
        (value, schema) = (below, of);
    }
    let shape = schema.map(|schema| Shape::of(schema, value));
    let message = error.inner().to_string();
    if let Some((key, _)) = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        let example =
            shape.and_then(|shape| shape.property(key)).map(|schema| Shape::of(schema, &Value::Null).example());
        if let Value::Object(fields) = value {
            fields.insert(key.to_owned(), example.unwrap_or_default());
        }
        let path = path_of(error);
        let field = if path == "body" { key.to_owned() } else { format!("{path}.{key}") };
        return Refusal { field, message: "is required".into() };
    }
    let expected = shape.as_ref().filter(|shape| !is_ours(&message) || !shape.fits(value)).and_then(Shape::expectation);
    if let Some(shape) = shape {
        *value = shape.example();
    }
    let own = Some(message).filter(|message| is_ours(message));
    Refusal { field: path_of(error), message: expected.or(own).unwrap_or_else(|| "is not valid".into()) }
}

/// Whether a text is one that our own types report; the others are those of libraries.
fn is_ours(message: &str) -> bool {
    // The texts of serde may contain the value, and so anything.
    let foreign = ["invalid ", "unknown ", "missing ", "duplicate ", "data did not"];
    let is_foreign = foreign.iter().any(|word| message.starts_with(word));
    !is_foreign && (message.contains("must ") || message.contains("this server"))
}

fn path_of(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    if path == "." || path == "?" { "body".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use poem::http::Method;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::super::number::optional_number;
    use super::super::operation_schema::body_schema;
    use super::read;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Image {
        image_name: String,
        tag: String,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Source {
        image: Option<Image>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Job {
        name: String,
        #[serde(default, deserialize_with = "optional_number")]
        port: Option<i32>,
        #[serde(default)]
        cpu: Option<i32>,
        #[serde(default)]
        source: Source,
        #[serde(default)]
        auto_deploy: Option<bool>,
    }

    fn job(text: &str) -> Result<Job, Vec<String>> {
        let schema = body_schema(&Method::POST, "/environment/{environmentId}/job").unwrap();
        let mut tree: Value = serde_json::from_str(text).unwrap();
        let read = read::<Job>(Some(schema), text.as_bytes(), &mut tree);
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn numbers_and_booleans_are_taken_as_the_text_that_was_sent() {
        let image =
            |text: &str| job(&format!(r#"{{"name": "a", "source": {{"image": {text}}}}}"#)).unwrap().source.image;
        for tag in ["1.10", "1.36", "8080", "1e3", "true", "10000000000000000000000.0"] {
            let read = image(&format!(r#"{{"image_name": "b", "tag": {tag}}}"#)).unwrap();
            assert_eq!(read.tag, tag);
        }
        assert_eq!(job(r#"{"name": 7}"#).unwrap().name, "7");
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let body = json!({
            "port": "no number", "cpu": 3_000_000_000_i64, "auto_deploy": "yes", "source": {"image": {"tag": ["1"]}},
        });
        let mut faults = job(&body.to_string()).unwrap_err();
        faults.sort();
        let expected = [
            "auto_deploy: must be true or false",
            "cpu: must be an integer of at most 2147483647",
            "name: is required",
            "port: must be an integer of at most 2147483647",
            "source.image.image_name: is required",
            "source.image.tag: must be a string",
        ];
        assert_eq!(faults, expected);
        assert_eq!(
            job(r#"{"name": null, "source": 5}"#).unwrap_err(),
            ["source: must be an object", "name: must be a string"]
        );
        // A text is read where a number is expected, as web forms send it.
        assert_eq!(job(r#"{"name": "a", "port": "80"}"#).unwrap().port, Some(80));
    }

    #[test]
    fn without_a_schema_the_fields_are_named_all_the_same() {
        let mut tree = json!({"name": ["a"], "cpu": "x"});
        let faults = read::<Job>(None, b"", &mut tree).unwrap_err();
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), ["cpu: is not valid"]);
    }
}
