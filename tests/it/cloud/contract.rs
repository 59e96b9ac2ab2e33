//! The contract of this API is what the code does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::TestApp;
use crate::terrakube::{House, id};
use crate::validate::{CLOUD, resolve};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every operation is served: without credentials it answers 401, and with a wrong secret in its address 404.
#[tokio::test]
async fn every_operation_is_served() {
    let app = TestApp::new().await;
    let client = app.client(None);
    let mut found = 0;
    for (path, item) in CLOUD["paths"].as_object().unwrap() {
        let real: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { uuid::Uuid::nil().to_string() } else { part.to_owned() })
            .collect::<Vec<_>>()
            .join("/");
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            found += 1;
            let called = client.call(method.to_uppercase().parse().unwrap(), &real, None).await;
            let public = operation["security"] == json!([]);
            let expected: &[u16] = match path.as_str() {
                _ if !public => &[401],
                sealed if sealed.contains("/sealed/") => &[404],
                _ => &[200, 204, 303, 400, 415],
            };
            assert!(expected.contains(&called.status), "{method} {path}: {} {}", called.status, called.text);
        }
    }
    assert!(found >= 40, "{found} operations");
}

/// Without a database, every operation that needs a credential answers 503.
#[tokio::test]
async fn without_a_database_everything_is_503() {
    let house = House::new().await;
    house.client.get("/api/v2/account/details").await.expect(200);
    house.app.app.db.clone().close().await.unwrap();
    for (path, item) in CLOUD["paths"].as_object().unwrap() {
        for method in METHODS {
            let Some(operation) = item.get(method).filter(|operation| operation["security"] != json!([])) else {
                continue;
            };
            // The first is answered from memory, and the others read their bodies before they look for anything.
            if ["readAccount", "createRun", "createSigningKey"].contains(&operation["operationId"].as_str().unwrap()) {
                continue;
            }
            let id = uuid::Uuid::nil().to_string();
            let mut real = path.replace("{organization}", "acme").replace("{workspaceName}", "network");
            real = real.replace("{runId}", "run-1").replace("{action}", "apply");
            for name in [
                "workspaceId",
                "variableId",
                "stateVersionId",
                "outputId",
                "configurationVersionId",
                "planId",
                "applyId",
            ] {
                real = real.replace(&format!("{{{name}}}"), &id);
            }
            match operation["operationId"].as_str().unwrap() {
                "listStateVersions" => real += "?filter[organization][name]=acme&filter[workspace][name]=network",
                "listSigningKeys" => real += "?filter[namespace]=acme",
                _ => {}
            }
            let answer = house.client.call(method.to_uppercase().parse().unwrap(), &real, None).await;
            assert_eq!(answer.status, 503, "{method} {path}: {}", answer.text);
        }
    }
}

/// What is no operation has the errors of this API, too.
#[tokio::test]
async fn what_is_no_operation_is_not_found() {
    let app = TestApp::new().await;
    let client = app.client(None);
    for (method, path, expected) in
        [("GET", "/api/v2/nothing", 404), ("PUT", "/api/v2/ping", 405), ("GET", "/api/v2/workspaces/1/nothing/2", 404)]
    {
        let answer = client.call(method.parse().unwrap(), path, None).await;
        assert_eq!(answer.status, expected, "{method} {path}");
        assert_eq!(answer.body["errors"][0]["status"], expected.to_string(), "{method} {path}: {}", answer.text);
    }
}

#[test]
fn every_operation_is_described() {
    for (path, item) in CLOUD["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 10), "{method} {path}");
            assert!(operation["description"].as_str().is_some_and(|text| text.len() > 16), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(resolve(&CLOUD, response)["description"].is_string(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_contract_is_served_as_it_stands() {
    let app = TestApp::new().await;
    assert_eq!(app.client(None).raw("/cloud.yaml").await, windlass::cloud::CONTRACT);
}

/// Operations whose bodies are sent in this order, because one makes what the next needs.
const ORDER: [&str; 12] = [
    "createProject",
    "createWorkspace",
    "updateWorkspaceByName",
    "updateWorkspace",
    "lockWorkspace",
    "createStateVersion",
    "addTags",
    "removeTags",
    "bindTags",
    "createVariable",
    "updateVariable",
    "createConfigurationVersion",
];

/// These need what another response says; tests of their own send them.
const ELSEWHERE: [&str; 9] = [
    "uploadState",
    "uploadJsonState",
    "exchangeLoginCode",
    "uploadConfiguration",
    "createRun",
    "changeRun",
    "uploadProviderFile",
    "uploadMirroredFile",
    "createSigningKey",
];

#[tokio::test]
async fn the_examples_are_accepted() {
    let house = House::new().await;
    let mut operations = BTreeMap::new();
    for (path, item) in CLOUD["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].get("requestBody").is_some()) {
            let operation = &item[*method];
            operations.insert(operation["operationId"].as_str().unwrap(), (path, *method, operation));
        }
    }
    let known: BTreeSet<&str> = ORDER.into_iter().chain(ELSEWHERE).collect();
    assert_eq!(operations.keys().copied().collect::<BTreeSet<_>>(), known);
    let (mut workspace, mut variable) = (String::new(), String::new());
    for name in ORDER {
        let (path, method, operation) = operations[name];
        let example = &operation["requestBody"]["content"]["application/vnd.api+json"]["example"];
        let path = path.replace("{organization}", "acme").replace("{workspaceName}", "network");
        let path = path.replace("{workspaceId}", &workspace).replace("{variableId}", &variable);
        let method = method.to_uppercase().parse().unwrap();
        let answer = house.client.call(method, &path, Some(example.to_string())).await;
        assert!((200..300).contains(&answer.status), "{name} {path}: {} {}", answer.status, answer.text);
        match name {
            "createWorkspace" => workspace = id(&answer.body),
            "createVariable" => variable = id(&answer.body),
            _ => {}
        }
    }
}
