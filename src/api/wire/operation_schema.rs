//! The schemas of the contract, by operation: of its body, and of its query parameters.

use std::collections::HashMap;
use std::sync::LazyLock;

use poem::http::Method;
use serde_json::Value;

use crate::api::contract::CONTRACT;

static PARSED: LazyLock<Value> = LazyLock::new(|| serde_saphyr::from_str(CONTRACT).unwrap_or_default());

/// The operations, by path without the names of its parameters, and method.
static OPERATIONS: LazyLock<HashMap<(String, String), &'static Value>> = LazyLock::new(|| {
    let mut operations = HashMap::new();
    for (path, methods) in PARSED.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operations.insert((anonymous(path), method.clone()), operation);
        }
    }
    operations
});

/// The schema of the JSON body of an operation. `pattern` is its path, with parameters as `:name` or `{name}`.
pub(super) fn body_schema(method: &Method, pattern: &str) -> Option<&'static Value> {
    let operation = OPERATIONS.get(&(anonymous(pattern), method.as_str().to_ascii_lowercase()))?;
    operation.pointer("/requestBody/content/application~1json/schema")
}

/// The query parameters of the operation at a path, with their schemas and whether they are required.
pub(in crate::api) fn query_parameters(method: &Method, path: &str) -> Vec<(&'static str, &'static Value, bool)> {
    let method = method.as_str().to_ascii_lowercase();
    let given: Vec<&str> = parts(path).collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = parts(pattern).collect();
        pattern.len() == given.len() && pattern.iter().zip(&given).all(|(part, given)| *part == "*" || part == given)
    };
    // A path without parameters takes precedence.
    let mut fitting: Vec<_> = OPERATIONS.iter().filter(|((path, of), _)| *of == method && fits(path)).collect();
    fitting.sort_by_key(|((path, _), _)| path.matches('*').count());
    let Some((_, operation)) = fitting.first() else { return Vec::new() };
    let listed = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let parameters = listed.map(resolved).filter(|one| one.get("in").and_then(Value::as_str) == Some("query"));
    let read = |one: &'static Value| {
        let is_required = one.get("required").and_then(Value::as_bool).unwrap_or(false);
        Some((one.get("name")?.as_str()?, resolved(one.get("schema")?), is_required))
    };
    parameters.filter_map(read).collect()
}

/// What a `$ref` refers to; anything else is itself.
pub(super) fn resolved(value: &'static Value) -> &'static Value {
    value.get("$ref").and_then(Value::as_str).and_then(target).unwrap_or(value)
}

pub(super) fn target(reference: &str) -> Option<&'static Value> {
    PARSED.pointer(reference.strip_prefix('#')?)
}

/// A path without the names of its parameters, which the router replaces by others.
fn anonymous(path: &str) -> String {
    parts(path).map(|part| if part.starts_with([':', '{']) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// The bodies of all operations, with their paths without names and their methods.
#[cfg(test)]
pub(super) fn bodies() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let schema = |operation: &'static Value| operation.pointer("/requestBody/content/application~1json/schema");
    OPERATIONS.iter().filter_map(move |((path, method), operation)| Some((&**path, &**method, schema(operation)?)))
}
