//! The contract of the Terrakube-compatible API agrees with the tables of the code.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::House;
use crate::harness::TestApp;
use crate::validate::{TERRAKUBE, resolve};

/// The schema of an attribute, without its description.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema.as_object_mut().unwrap().remove("description");
    schema
}

#[test]
fn tables_and_contract_are_the_same() {
    let described = windlass::terrakube::described();
    if let Ok(path) = std::env::var("WINDLASS_DESCRIBE") {
        std::fs::write(path, described.to_string()).unwrap();
    }
    let schemas = TERRAKUBE["components"]["schemas"].as_object().unwrap();
    let mut wrong = Vec::new();
    for (kind, table) in described.as_object().unwrap() {
        let Some(schema) = schemas.get(kind) else {
            wrong.push(format!("{kind} is not in the contract"));
            continue;
        };
        let properties = &schema["properties"];
        let attributes = properties["attributes"]["properties"].as_object().unwrap();
        let found: serde_json::Map<String, Value> =
            attributes.iter().map(|(name, one)| (name.clone(), bare(one))).collect();
        if json!(found) != table["attributes"] {
            wrong.push(format!("{kind}: the contract has\n{found:#?}\nthe table\n{:#}", table["attributes"]));
        }
        let relations: serde_json::Map<String, Value> = properties["relationships"]["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, one)| {
                let data = &one["properties"]["data"];
                let many = data["type"] == "array";
                let target = if many { &data["items"] } else { data };
                let target = &target["properties"]["type"]["enum"][0];
                (name.clone(), json!({"target": target, "many": many}))
            })
            .collect();
        if json!(relations) != table["relations"] {
            wrong.push(format!("{kind}: the contract has {relations:?}, the table {}", table["relations"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kinds: BTreeSet<&String> = described.as_object().unwrap().keys().collect();
    let typed: BTreeSet<&String> = schemas
        .iter()
        .filter(|(_, schema)| schema["properties"]["type"]["enum"].is_array())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(kinds, typed);
}

/// Every path is served: without credentials its operations answer 401, and other methods are rejected. Methods that a
/// table does not allow are not operations.
#[tokio::test]
async fn every_operation_is_served() {
    let app = TestApp::new().await;
    let client = app.client(None);
    let described = windlass::terrakube::described();
    for (path, item) in TERRAKUBE["paths"].as_object().unwrap() {
        let last = path.trim_end_matches('}').rsplit('/').find(|part| !part.is_empty()).unwrap();
        for method in ["get", "post", "patch", "delete"] {
            let real: String = path
                .split('/')
                .map(|part| match part.trim_matches(['{', '}']) {
                    "jobId" => "1".to_owned(),
                    "fileName" => "terraform.tfstate".to_owned(),
                    _ if part.starts_with('{') => uuid::Uuid::nil().to_string(),
                    plain => plain.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("/");
            let Some(operation) = item.get(method) else { continue };
            let called = client.call(method.to_uppercase().parse().unwrap(), &real, None).await;
            let public = operation["security"] == json!([]);
            // A delivery is for one webhook, and there is none.
            let open = if path.starts_with("/webhook/") { 404 } else { 200 };
            assert_eq!(called.status, if public { open } else { 401 }, "{method} {path}: {}", called.text);
            let of = described.get(operation["tags"][0].as_str().unwrap());
            let of = of.filter(|_| path.starts_with("/api/v1/") && !path.contains("/relationships/"));
            let allowed = of.map(|table| match method {
                "post" => table["methods"]["create"] == true,
                "delete" => table["methods"]["delete"] == true,
                "patch" => table["methods"]["update"] == true,
                _ => true,
            });
            // What is always refused is described for its reason.
            let refused = !operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'));
            assert!(refused || allowed != Some(false), "{method} {path} ({last}) is not what the table allows");
        }
    }
}

#[test]
fn every_operation_is_described() {
    for (path, item) in TERRAKUBE["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if matches!(method.as_str(), "parameters" | "description") {
                continue;
            }
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 10), "{method} {path}");
            assert!(operation["description"].as_str().is_some_and(|text| text.len() > 16), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(resolve(&TERRAKUBE, response)["description"].is_string(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_contract_is_served_as_it_stands() {
    let app = TestApp::new().await;
    assert_eq!(app.client(None).raw("/terrakube.yaml").await, windlass::terrakube::CONTRACT);
}

/// A resource that is not there is null, also for the contract.
#[tokio::test]
async fn a_workspace_without_a_webhook_has_null() {
    let house = House::new().await;
    let workspace = house.create("workspace", "workspace", json!({"name": "a"})).await;
    assert_eq!(house.get(&format!("workspace/{workspace}/webhook")).await, json!({"data": null}));
}
