//! Pure: names and fields that the objects of a step share.

use serde_json::{Map, Value, json};

use crate::runner::step_spec::StepFile;

/// The name of the secret that holds the login to a registry.
pub(super) fn pull_secret_name(name: &str) -> String {
    format!("{name}-pull")
}

/// The largest file that shares a Secret with others, in bytes. A Secret can hold 1 MiB.
const SHARED_BYTES: usize = 64 * 1024;

/// The beginning of the names of Secrets that hold one file each.
pub(super) fn file_secrets_prefix(name: &str) -> String {
    format!("{name}-file-")
}

/// The name of the Secret of a file that is too large to share one.
pub(super) fn own_secret(name: &str, place: usize, file: &StepFile) -> Option<String> {
    (file.content.expose().len() > SHARED_BYTES).then(|| format!("{}{place}", file_secrets_prefix(name)))
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
