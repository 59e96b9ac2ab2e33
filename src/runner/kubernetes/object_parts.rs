//! Pure: names and fields that the objects of a step share.

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

/// Sets a field, unless there is no value.
pub(super) fn put<T: Into<Value>>(object: &mut Value, key: &str, value: Option<T>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.into(), value.into());
    }
}

/// The key of a file in the Secret. Names of variables have no dot, so the keys cannot collide.
pub(super) fn file_key(place: usize) -> String {
    format!("file.{place}")
}
