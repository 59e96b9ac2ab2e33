//! Walks the contract: every operation has the outcomes that it documents. Conflicts are tested with each resource.

use poem::http::Method;
use serde_json::Value;

use crate::harness::TestApp;
use crate::world::{Operation, World};

/// Operations that need a person or another system to succeed; each has a test of its own.
const ELSEWHERE: [&str; 15] = [
    // These send a message.
    "validateNewAlertReceiver",
    "validateExistingAlertReceiver",
    // No secret has a wider scope than the project.
    "createProjectSecretOverride",
    "createOrganization",
    "editAccountInformation",
    "postAcceptInviteMember",
    "editOrganizationMemberRole",
    "deleteMember",
    "postOrganizationTransferOwnership",
    "checkContainerImage",
    "getContainerVersions",
    "checkDockerfile",
    "listJobCommit",
    // These always fail: there are no services to restart, and no reports about builds.
    "rebootServices",
    "generateDeploymentBuildUsageReport",
];
/// Edits that accept a body without the fields that the official description requires.
const LENIENT: [&str; 2] = ["editJob", "editOrganization"];
/// Deletions of something that is in use, or the last of its kind.
const IN_USE: [&str; 4] = ["deleteContainerRegistry", "deleteProject", "deleteOrganization", "DeleteDeploymentStage"];

/// The operation once for each id in its path, which is replaced by another one.
fn without(operation: &Operation, id: &str) -> Vec<Operation> {
    let parts: Vec<&str> = operation.path.split(['/', '?']).collect();
    let ids = parts.iter().filter(|part| part.len() == 36 && part.matches('-').count() == 4);
    ids.map(|part| Operation { path: operation.path.replacen(part, id, 1), ..operation.clone() }).collect()
}

/// With a single connection, an operation fails if it uses a second one inside a transaction.
#[tokio::test]
async fn every_operation_succeeds_with_one_connection() {
    let app = TestApp::with_one_connection().await;
    assert_eq!(app.app.config.database_connections, 1);
    let names: Vec<String> = World::new(&app).await.operations().into_iter().map(|operation| operation.id).collect();
    let world = World::new(&app).await;
    for name in &names {
        if ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let fresh;
        let of = if world.operations().iter().any(|operation| operation.id == *name && operation.writes) {
            fresh = World::new(&app).await;
            &fresh
        } else {
            &world
        };
        let operation = of.operations().into_iter().find(|operation| operation.id == *name).unwrap();
        let body = of.body(name).filter(|_| operation.has_body);
        let (status, answer) = operation.call(&of.it.client, body).await;
        if IN_USE.contains(&name.as_str()) {
            assert!(matches!(status, 409 | 400 | 204), "{name}: {status} {answer}");
            continue;
        }
        let good = operation.statuses.iter().find(|status| **status < 300).copied().unwrap();
        assert_eq!(status, good, "{name}: {answer}");
        assert!(!answer.to_string().contains("hidden-"), "{name} answers a secret: {answer}");
        assert!(!answer.to_string().contains("-git-token"), "{name} answers a secret: {answer}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_no_uuid_is_400() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let client = &world.it.client;
    for operation in world.operations() {
        let body = world.body(&operation.id);
        for gone in without(&operation, &uuid::Uuid::now_v7().to_string()) {
            let (status, answer) = gone.call(client, body.clone()).await;
            assert_eq!(status, 404, "{} at {}: {answer}", operation.id, gone.path);
            assert!(answer["detail"].as_str().unwrap().contains("not found"), "{answer}");
        }
        for wrong in without(&operation, "no-uuid") {
            let (status, answer) = wrong.call(client, body.clone()).await;
            assert_eq!(status, 400, "{} at {}: {answer}", operation.id, wrong.path);
        }
    }
}

/// Malformed and oversized bodies are rejected.
#[tokio::test]
async fn bodies_are_checked() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let client = &world.it.client;
    for operation in world.operations().into_iter().filter(|operation| operation.has_body) {
        let required = if LENIENT.contains(&operation.id.as_str()) { Vec::new() } else { required(&operation) };
        for body in ["{ not json", "[]", "\"text\"", "{\"name\": [1]}", "{}"] {
            if body == "{}" && required.is_empty() || body.starts_with("{\"name") && !required.contains(&"name".into())
            {
                continue;
            }
            let (status, answer) = operation.call(client, Some(body.to_owned())).await;
            assert_eq!(status, 400, "{} with {body}: {answer}", operation.id);
            let detail = answer["detail"].as_str().unwrap();
            assert!(detail.contains(':'), "{}: no field is named: {detail}", operation.id);
            assert!(!detail.contains("exist"), "{}: {detail}", operation.id);
        }
        // A variable may be a file, and a declaration has many of them.
        let is_large = ["ariable", "ecret", "declaration"].iter().any(|word| operation.template.contains(word));
        let mib = if is_large { 8 } else { 1 };
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(mib * 1024 * 1024));
        let (status, answer) = operation.call(client, Some(large)).await;
        assert_eq!(status, 413, "{}: {answer}", operation.id);
    }
}

/// The required keys of a body.
fn required(operation: &Operation) -> Vec<String> {
    use crate::validate::{CONTRACT, flat};
    let method = operation.method.as_str().to_lowercase();
    let content = &CONTRACT["paths"][&operation.template][&method]["requestBody"]["content"];
    let media = content.as_object().unwrap().values().next().unwrap();
    let schema = flat(&CONTRACT, &media["schema"]);
    let names = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Names that are empty, blank, too long or contain control characters are rejected.
#[tokio::test]
async fn names_are_bounded() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let mut tried = 0;
    for operation in world.operations().into_iter().filter(|operation| operation.has_body) {
        if ELSEWHERE.contains(&operation.id.as_str()) {
            continue;
        }
        let Some(Ok(Value::Object(body))) = world.body(&operation.id).map(|body| serde_json::from_str(&body)) else {
            continue;
        };
        for key in ["name", "key"].iter().filter(|key| body.contains_key(**key)) {
            for bad in ["", "   ", &"x".repeat(256), "a\u{7}"] {
                let mut body = body.clone();
                body.insert((*key).to_owned(), bad.into());
                let (status, answer) = operation.call(&world.it.client, Some(Value::Object(body).to_string())).await;
                assert_eq!(status, 400, "{} {key} = {bad:?}: {answer}", operation.id);
                assert!(answer["detail"].as_str().unwrap().contains(key), "{}: {answer}", operation.id);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} names were tried");
}

/// Without a database every operation answers 503.
#[tokio::test]
async fn without_a_database_everything_is_503() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    world.it.client.get("/organization").await.expect(200);
    app.app.db.clone().close().await.unwrap();
    for operation in world.operations() {
        // These read nothing from the database, or fail before they do.
        let stored = !matches!(
            operation.id.as_str(),
            "listAvailableContainerRegistry"
                | "listCloudProvider"
                | "getDefaultJobAdvancedSettings"
                | "previewSchedule"
                | "createOrganization"
                | "editAccountInformation"
        );
        if operation.method == Method::GET || stored {
            let (status, answer) = operation.call(&world.it.client, world.body(&operation.id)).await;
            let expected = if stored { 503 } else { 200 };
            assert_eq!(status, expected, "{}: {answer}", operation.id);
        }
    }
}
