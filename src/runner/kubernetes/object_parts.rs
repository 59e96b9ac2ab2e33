//! Pure: what the objects of a step have in common.

use serde_json::{Map, Value, json};

/// The name of the secret that holds the login to a registry.
pub(super) fn pull_secret_name(name: &str) -> String {
    format!("{name}-pull")
}

pub(super) fn annotate(meta: &mut Value, annotations: &[(String, String)]) {
    if annotations.is_empty() {
        return;
    }
    let map: Map<String, Value> = annotations.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    if let Some(meta) = meta.as_object_mut() {
        meta.insert("annotations".into(), Value::Object(map));
    }
}

/// Sets a field that is left out where there is nothing to say.
pub(super) fn put<T: Into<Value>>(object: &mut Value, key: &str, value: Option<T>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.into(), value.into());
    }
}

/// Not the name of a variable: those have no dot.
pub(super) fn file_key(place: usize) -> String {
    format!("file.{place}")
}
