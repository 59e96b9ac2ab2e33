//! Validates a response against the contract: the operation has this status, and its schema matches the body exactly.
//!
//! OpenAPI 3.0 schemas are converted to JSON Schema: `nullable` becomes a type, `allOf` is merged, a union with a
//! discriminator becomes a choice by that key, and objects have no additional keys.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The contract of the Qovery-compatible API.
pub(crate) static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(windlass::api::CONTRACT).expect("the contract is YAML"));

/// The contract of the Terrakube-compatible API.
pub(crate) static TERRAKUBE: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(windlass::terrakube::CONTRACT).expect("the contract is YAML"));

/// The contract of the API of `cloud` blocks.
pub(crate) static CLOUD: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(windlass::cloud::CONTRACT).expect("the contract is YAML"));

/// The contract that contains a path.
fn contract_of(path: &str) -> &'static Value {
    if ["/api/v2/", "/.well-known/", "/oauth/", "/v1/", "/api/registry/"].iter().any(|prefix| path.starts_with(prefix))
    {
        return &CLOUD;
    }
    let prefixes = ["/api/v1/", "/webhook/", "/tfoutput/", "/tfstate/", "/context/", "/pat/", "/access-token/"];
    if prefixes.iter().any(|prefix| path.starts_with(prefix)) { &TERRAKUBE } else { &CONTRACT }
}

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// The value that a `$ref` chain leads to.
pub(crate) fn resolve<'a>(root: &'a Value, mut node: &'a Value) -> &'a Value {
    while let Some(reference) = node.get("$ref").and_then(Value::as_str) {
        node = root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    node
}

/// The operation of the contract for a path.
pub(crate) fn operation(method: &str, path: &str) -> Option<(String, Value)> {
    let path = path.split('?').next().unwrap();
    // The Terrakube-compatible API also accepts a trailing slash.
    let path = if path.starts_with("/api/v1/") { path.trim_end_matches('/') } else { path };
    let paths = contract_of(path)["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let (a, b): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.starts_with('{') || *a == b)
    };
    paths
        .iter()
        .filter(|(template, _)| fits(template))
        // A literal segment takes precedence over a parameter.
        .min_by_key(|(template, _)| template.matches('{').count())
        .and_then(|(template, item)| Some((template.clone(), item.get(method.to_lowercase())?.clone())))
}

/// Panics if a response violates the contract.
#[track_caller]
pub(crate) fn answer(method: &str, path: &str, status: u16, kind: &str, body: &Value) {
    let Some((template, operation)) = operation(method, path) else {
        assert!(matches!(status, 404 | 405), "{method} {path} is not in the contract, yet it was answered {status}");
        return;
    };
    let what = format!("{method} {template} {status}");
    if status == 304 {
        // Ours: any read may be answered so, to a client that sends the tag of what it has.
        assert!(method == "GET" && body.is_null() && kind.is_empty(), "{what} has a body: {body}");
        return;
    }
    let response = operation["responses"].get(status.to_string());
    let response = response.unwrap_or_else(|| panic!("{what} is not in the contract: {body}"));
    let root = contract_of(path);
    let response = resolve(root, response);
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        assert!(body.is_null() && kind.is_empty(), "{what} has no body in the contract: {body}");
        return;
    };
    let plain = kind.split(';').next().unwrap();
    let media = content
        .get(kind)
        .or_else(|| content.get(plain))
        .unwrap_or_else(|| panic!("{what}: {plain} is not in the contract"));
    if !plain.ends_with("json") {
        return;
    }
    let validator =
        *VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner).entry(what.clone()).or_insert_with(
            || {
                let schema = json_schema(root, &media["schema"], 0);
                Box::leak(Box::new(jsonschema::validator_for(&schema).expect("a schema")))
            },
        );
    let errors: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{what} breaks the contract:\n{}\n{body:#}", errors.join("\n"));
}

/// A schema with its `allOf` merged into one object.
pub(crate) fn flat(root: &Value, schema: &Value) -> Map<String, Value> {
    let mut out = resolve(root, schema).as_object().cloned().unwrap_or_default();
    let Some(Value::Array(parts)) = out.remove("allOf") else { return out };
    for part in &parts {
        for (key, value) in flat(root, part) {
            match (out.get_mut(&key), value) {
                (Some(Value::Object(to)), Value::Object(from)) if key == "properties" => to.extend(from),
                (Some(Value::Array(to)), Value::Array(from)) if key == "required" => {
                    let new: Vec<Value> = from.into_iter().filter(|name| !to.contains(name)).collect();
                    to.extend(new);
                }
                (Some(_), _) => {}
                (None, value) => {
                    out.insert(key, value);
                }
            }
        }
    }
    out
}

/// The schema of a contract as a JSON schema that allows no other properties.
pub(crate) fn json_schema(root: &Value, schema: &Value, depth: usize) -> Value {
    assert!(depth < 30, "the contract refers to itself");
    let schema = flat(root, schema);
    let mut out = Map::new();
    for key in ["enum", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern", "required"] {
        if let Some(value) = schema.get(key) {
            out.insert(key.into(), value.clone());
        }
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => drop(out.insert("pattern".into(), json!("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))),
        Some("date-time") => {
            drop(out.insert("pattern".into(), json!(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$")))
        }
        _ => {}
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let properties: Map<String, Value> =
            properties.iter().map(|(name, value)| (name.clone(), json_schema(root, value, depth + 1))).collect();
        out.insert("properties".into(), properties.into());
        out.insert("additionalProperties".into(), false.into());
    }
    if let Some(items) = schema.get("items") {
        out.insert("items".into(), json_schema(root, items, depth + 1));
    }
    if let Some(members) = schema.get("anyOf").and_then(Value::as_array) {
        return json!({"anyOf": members.iter().map(|member| json_schema(root, member, depth + 1)).collect::<Vec<_>>()});
    }
    if let Some(members) = schema.get("oneOf").and_then(Value::as_array) {
        return union(root, &schema, members, depth);
    }
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    if let Some(kind) = schema.get("type") {
        out.insert("type".into(), if nullable { json!([kind, "null"]) } else { kind.clone() });
    }
    if let Some(Value::Array(values)) = out.get_mut("enum")
        && nullable
    {
        values.push(Value::Null);
    }
    Value::Object(out)
}

/// A union with a discriminator accepts exactly one member, even if the members look alike.
fn union(root: &Value, schema: &Map<String, Value>, members: &[Value], depth: usize) -> Value {
    let Some(discriminator) = schema.get("discriminator") else {
        return json!({"oneOf": members.iter().map(|member| json_schema(root, member, depth + 1)).collect::<Vec<_>>()});
    };
    let key = discriminator["propertyName"].as_str().unwrap();
    let choices: Vec<Value> = discriminator["mapping"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(value, reference)| {
            let member = json_schema(root, &json!({"$ref": reference}), depth + 1);
            json!({"if": {"properties": {key: {"const": value}}}, "then": member})
        })
        .collect();
    let values: Vec<&String> = discriminator["mapping"].as_object().unwrap().keys().collect();
    json!({"type": "object", "required": [key], "allOf": choices, "properties": {key: {"enum": values}}})
}
