//! Keys of a request body that its schema in the contract does not know: most are misspelt.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use poem::http::{HeaderValue, Method};
use serde_json::Value;

use crate::api::contract::CONTRACT;

/// How many unknown keys of a body are named.
const MOST: usize = 20;
/// How deep a body is compared with its schema.
const DEPTH: usize = 12;
/// The longest key that is shown as it was sent, in characters.
const SHOWN: usize = 64;

static PARSED: LazyLock<Value> = LazyLock::new(|| serde_saphyr::from_str(CONTRACT).unwrap_or_default());

/// The schema of the body of each operation, by path without the names of its parameters, and method.
static BODIES: LazyLock<HashMap<(String, String), &'static Value>> = LazyLock::new(|| {
    let mut bodies = HashMap::new();
    for (path, methods) in PARSED.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
                bodies.insert((anonymous(path), method.clone()), schema);
            }
        }
    }
    bodies
});

/// An unknown key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct UnknownKey {
    /// Its path in the body.
    pub(in crate::api) path: String,
    /// The known key that is spelt almost like it.
    pub(in crate::api) nearest: Option<String>,
}

impl UnknownKey {
    /// Why a strict operation refuses it.
    pub(in crate::api) fn refusal(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("is not a known key; did you mean {nearest}?"),
            None => "is not a known key".to_owned(),
        }
    }
}

/// The unknown keys of a body, for the `Warning` header of its response.
#[derive(Clone, Default)]
pub(in crate::api) struct IgnoredKeys(Arc<Mutex<Vec<UnknownKey>>>);

impl IgnoredKeys {
    pub(super) fn set(&self, keys: Vec<UnknownKey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The value of the header (RFC 7234, section 5.5); `None` if there are no such keys.
    pub(in crate::api) fn warning(&self) -> Option<HeaderValue> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            return None;
        }
        let named = keys.iter().map(|key| match &key.nearest {
            Some(nearest) => format!("{} (did you mean {nearest}?)", key.path),
            None => key.path.clone(),
        });
        let text = format!("299 - \"unknown keys were ignored: {}\"", named.collect::<Vec<_>>().join(", "));
        HeaderValue::from_str(&text).ok()
    }
}

/// The unknown keys of the body of an operation. `pattern` is its path, with parameters as `:name` or `{name}`.
pub(super) fn unknown_keys(method: &Method, pattern: &str, body: &Value) -> Vec<UnknownKey> {
    let operation = (anonymous(pattern), method.as_str().to_ascii_lowercase());
    let mut found = Vec::new();
    if let Some(schema) = BODIES.get(&operation) {
        compare(schema, body, "", DEPTH, &mut found);
    }
    found.truncate(MOST);
    found
}

/// A path without the names of its parameters, which the router replaces by others.
fn anonymous(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| if part.starts_with([':', '{']) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn compare(schema: &Value, body: &Value, path: &str, depth: usize, found: &mut Vec<UnknownKey>) {
    if depth == 0 || found.len() >= MOST {
        return;
    }
    let shape = Shape::of(schema, body);
    match body {
        Value::Array(items) => {
            let Some(schema) = shape.items else { return };
            for (place, item) in items.iter().enumerate() {
                compare(schema, item, &format!("{path}[{place}]"), depth - 1, found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = if path.is_empty() { plain(key) } else { format!("{path}.{}", plain(key)) };
                match shape.properties.get(key.as_str()).copied().or(shape.others) {
                    Some(schema) => compare(schema, value, &below, depth - 1, found),
                    None if shape.open => {}
                    None => found.push(UnknownKey { path: below, nearest: nearest(key, shape.properties.keys()) }),
                }
            }
        }
        _ => {}
    }
}

/// What a schema says about a value, with its parts put together.
#[derive(Default)]
struct Shape<'a> {
    properties: BTreeMap<&'a str, &'a Value>,
    items: Option<&'a Value>,
    /// The schema of all other keys.
    others: Option<&'a Value>,
    /// Whether other keys are allowed.
    open: bool,
}

impl<'a> Shape<'a> {
    fn of(schema: &'a Value, body: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(schema, body, DEPTH);
        shape.open |= shape.properties.is_empty();
        shape
    }

    fn add(&mut self, schema: &'a Value, body: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(target) {
            return self.add(target, body, depth - 1);
        }
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        self.properties.extend(properties.map(|(key, schema)| (key.as_str(), schema)));
        self.items = self.items.or_else(|| schema.get("items"));
        match schema.get("additionalProperties") {
            Some(Value::Bool(open)) => self.open |= *open,
            Some(others) => self.others = Some(others),
            None => {}
        }
        if let Some(member) = selected(schema, body) {
            return self.add(member, body, depth - 1);
        }
        for part in ["allOf", "oneOf", "anyOf"] {
            for schema in schema.get(part).and_then(Value::as_array).into_iter().flatten() {
                self.add(schema, body, depth - 1);
            }
        }
    }
}

/// The member of a union that the discriminator of a body selects.
fn selected<'a>(schema: &'a Value, body: &Value) -> Option<&'a Value> {
    let discriminator = schema.get("discriminator")?;
    let value = body.get(discriminator.get("propertyName")?.as_str()?)?.as_str()?;
    target(discriminator.get("mapping")?.get(value)?.as_str()?)
}

fn target(reference: &str) -> Option<&'static Value> {
    PARSED.pointer(reference.strip_prefix('#')?)
}

/// A key that a header and an error can show.
fn plain(key: &str) -> String {
    let shown = |letter: char| if letter.is_ascii_alphanumeric() || "_.-".contains(letter) { letter } else { '?' };
    key.chars().take(SHOWN).map(shown).collect()
}

/// The known key that is spelt almost like this one.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a &'a str>) -> Option<String> {
    let key: String = key.chars().take(SHOWN).collect();
    let most = (key.chars().count() / 3).max(1);
    // Two letters in the wrong order count as one mistake.
    let candidates = known.map(|known| (strsim::damerau_levenshtein(&key, known), *known));
    candidates.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{BODIES, IgnoredKeys, Shape, UnknownKey, unknown_keys};
    use poem::http::Method;
    use serde_json::json;

    const NEW_JOB: &str = "/environment/:environmentId/job";
    const RUN: &str = "/job/:jobId/run";

    fn found(pattern: &str, body: &serde_json::Value) -> Vec<(String, Option<String>)> {
        let keys = unknown_keys(&Method::POST, pattern, body);
        keys.into_iter().map(|UnknownKey { path, nearest }| (path, nearest)).collect()
    }

    fn key(path: &str, nearest: Option<&str>) -> (String, Option<String>) {
        (path.to_owned(), nearest.map(str::to_owned))
    }

    #[test]
    fn misspelt_keys_are_found_at_every_depth() {
        let body = json!({
            "name": "a", "max_restarts": 3, "healthchecks": {},
            "source": {"image": {"image_name": "a", "tga": "1"}},
            "schedule": {"cronjob": {"scheduled_at": "* * * * *", "argumets": []}},
        });
        let expected = vec![
            key("max_restarts", Some("max_nb_restart")),
            key("schedule.cronjob.argumets", Some("arguments")),
            key("source.image.tga", Some("tag")),
        ];
        let mut keys = found(NEW_JOB, &body);
        keys.sort();
        assert_eq!(keys, expected);
        assert_eq!(found(RUN, &json!({"environment": {"ANY": "1"}, "arguments": []})), []);
        assert_eq!(found(RUN, &json!({"argumets": []})), [key("argumets", Some("arguments"))]);
        assert_eq!(found("/no/such/path", &json!({"a": 1})), []);
    }

    #[test]
    fn every_operation_knows_its_keys() {
        let unknown = json!({"not_a_key": 1});
        let mut all = 0;
        for ((path, method), schema) in BODIES.iter() {
            let shape = Shape::of(schema, &unknown);
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let keys = unknown_keys(&method, &path.replace('*', ":param"), &unknown);
            assert_eq!(keys.is_empty(), shape.open || shape.others.is_some(), "{method} {path}");
            all += usize::from(!keys.is_empty());
        }
        assert!(all > 80, "{all} operations have bodies with known keys");
        assert_eq!(
            found("/environment/:environmentId/cancelDeployment", &json!({"force_cancle": true})),
            [key("force_cancle", Some("force_cancel"))],
            "a schema without a name"
        );
    }

    #[test]
    fn the_header_is_plain_text() {
        let keys = IgnoredKeys::default();
        assert_eq!(keys.warning(), None);
        keys.set(unknown_keys(&Method::POST, RUN, &json!({"a\r\nb\u{fc}\"": 1, "argumets": []})));
        let text = keys.warning().unwrap();
        let text = text.to_str().unwrap();
        assert_eq!(text, "299 - \"unknown keys were ignored: a??b??, argumets (did you mean arguments?)\"");
    }
}
