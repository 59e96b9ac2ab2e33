//! Walks the contract: who may call what. A new operation is covered without further work.

use std::collections::BTreeMap;

use entity::member::Role;
use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Furnished, TestApp, id};
use crate::validate::CONTRACT;

/// What every known caller may call: it answers about the caller, or about nothing stored.
const OPEN: [&str; 2] = ["listOrganization", "listAvailableContainerRegistry"];
/// What only a person may call.
const PEOPLE: [&str; 1] = ["createOrganization"];

struct Operation {
    id: String,
    method: Method,
    path: String,
    writes: bool,
}

/// Every operation, with the ids of `it` in its path.
async fn operations(it: &Furnished) -> Vec<Operation> {
    let job = it.create(it.lifecycle("walked")).await;
    let tokens = format!("/organization/{}/apiToken", it.organization);
    let token = it.client.post(&tokens, json!({"name": "t", "role_id": null}));
    let mut ids = BTreeMap::from([
        ("organizationId", it.organization.to_string()),
        ("projectId", it.project.clone()),
        ("environmentId", it.environment.clone()),
        ("containerRegistryId", it.registry.clone()),
        ("apiTokenId", id(&token.await.expect(201))),
        ("jobId", job.clone()),
    ]);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    ids.insert("runId", String::new());
    let mut found = Vec::new();
    for (template, item) in CONTRACT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut path = template.clone();
            for (name, id) in &ids {
                path = path.replace(&format!("{{{name}}}"), id);
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            found.push(Operation { id, writes: method != Method::GET, method, path });
        }
    }
    found
}

async fn furnished_with_run(app: &TestApp) -> (Furnished, Vec<Operation>) {
    let it = app.furnished().await;
    let mut list = operations(&it).await;
    app.settle().await;
    let job = list.iter().find(|o| o.id == "getJob").unwrap().path.trim_start_matches("/job/").to_owned();
    let run = id(&it.runs(&job).await[0]);
    for operation in &mut list {
        operation.path = operation.path.replace("/run/", &format!("/run/{run}")).trim_end_matches('/').to_owned();
        operation.path = operation.path.replace(&format!("{run}log"), &format!("{run}/log"));
        assert!(!operation.path.contains('{'), "{} has a parameter that this test does not know", operation.path);
    }
    (it, list)
}

async fn status(client: &Client, operation: &Operation, body: Option<&str>) -> (u16, Value) {
    let answer = client.call(operation.method.clone(), &operation.path, body.map(str::to_owned)).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn nobody_gets_401_before_anything_else() {
    let app = TestApp::new().await;
    let (it, list) = furnished_with_run(&app).await;
    let valid = it.client.authorization().trim_start_matches("Token ").to_owned();
    let wrong = [
        None,
        Some("Token".to_owned()),
        Some("Token ".into()),
        Some("Token windlass_wrong".into()),
        Some(valid.clone()),
        Some(format!("Basic {valid}")),
        Some(format!("Token {valid}x")),
        Some("Bearer a.b.c".into()),
        Some("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".into()),
    ];
    for operation in &list {
        for authorization in &wrong {
            let client = it.client.with(authorization.as_deref());
            let (status, _) = status(&client, operation, Some("{ not json")).await;
            assert_eq!(status, 401, "{} with {authorization:?}", operation.id);
        }
    }
    // Either credential under either word, in any case.
    for word in ["Token", "Bearer", "token", "BEARER"] {
        it.client.with(Some(&format!("{word} {valid}"))).get("/organization").await.expect(200);
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing() {
    let app = TestApp::new().await;
    let (_it, list) = furnished_with_run(&app).await;
    let other = app.organization("other").await;
    let stranger = app.token(other, Role::Admin).await;
    for operation in &list {
        let (status, body) = status(&stranger, operation, Some("{}")).await;
        let expected: &[u16] = match operation.id.as_str() {
            open if OPEN.contains(&open) => &[200],
            people if PEOPLE.contains(&people) => &[400, 403],
            // The body is read before the organization is known to be foreign.
            _ if operation.writes => &[404, 400],
            _ => &[404],
        };
        assert!(expected.contains(&status), "{} was answered {status}: {body}", operation.id);
        assert!(!body.to_string().contains("acme"), "{} leaks: {body}", operation.id);
    }
}

/// A valid body, so that nothing but the role is in the way.
fn body(it: &Furnished, operation: &str) -> String {
    match operation {
        "createJob" => it.cron("made", "@daily"),
        "editOrganization" => json!({"name": "acme", "plan": "FREE"}),
        "createContainerRegistry" | "editContainerRegistry" => json!({"name": "r", "kind": "DOCKER_HUB", "config": {}}),
        "createOrganizationApiToken" => json!({"name": "t", "role_id": null}),
        "createProject" | "editProject" | "createEnvironment" => json!({"name": "made"}),
        _ => json!({}),
    }
    .to_string()
}

#[tokio::test]
async fn a_viewer_reads_and_writes_nothing() {
    let app = TestApp::new().await;
    let (it, list) = furnished_with_run(&app).await;
    let viewer = app.token(it.organization, Role::Viewer).await;
    let before = it.client.get("/organization").await.text;
    for operation in &list {
        let (status, text) = status(&viewer, operation, Some(&body(&it, &operation.id))).await;
        let expected = match operation.id.as_str() {
            people if PEOPLE.contains(&people) => &[400, 403][..],
            // Who may not manage tokens may not list them either.
            "listOrganizationApiTokens" => &[403],
            _ if operation.writes => &[403],
            _ => &[200],
        };
        let lifecycle = operation.id == "listJobNextRuns" && status == 400;
        assert!(expected.contains(&status) || lifecycle, "{} was answered {status}: {text}", operation.id);
    }
    assert_eq!(it.client.get("/organization").await.text, before);
}

#[tokio::test]
async fn each_role_by_its_operations() {
    let app = TestApp::new().await;
    let (it, list) = furnished_with_run(&app).await;
    let operation = |wanted: &str| list.iter().find(|o| o.id == wanted).unwrap();
    let cases = [
        (Role::Devops, "editOrganization", 403),
        (Role::Devops, "createOrganizationApiToken", 403),
        (Role::Devops, "createProject", 200),
        (Role::Devops, "createJob", 201),
        (Role::Devops, "deployJob", 202),
        (Role::Devops, "createContainerRegistry", 201),
        (Role::Billing, "getOrganization", 200),
        (Role::Billing, "listOrganizationCluster", 200),
        (Role::Billing, "getJob", 404),
        (Role::Billing, "editJob", 404),
        (Role::Billing, "getProject", 404),
        (Role::Billing, "listContainerRegistry", 404),
        (Role::Billing, "editOrganization", 403),
        (Role::Admin, "editOrganization", 200),
        (Role::Admin, "createOrganizationApiToken", 201),
    ];
    for (role, wanted, expected) in cases {
        let client = app.token(it.organization, role).await;
        let body =
            if wanted == "createJob" { it.cron(&format!("{role:?}"), "@daily").to_string() } else { body(&it, wanted) };
        let body = if wanted == "createProject" { json!({"name": format!("{role:?}")}).to_string() } else { body };
        let (status, text) = status(&client, operation(wanted), Some(&body)).await;
        assert_eq!(status, expected, "{role:?} {wanted}: {text}");
    }
}

/// Ids of one organization under another one that the caller belongs to.
#[tokio::test]
async fn ids_do_not_cross_organizations() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = app.organization("other").await;
    let own = app.token(other, Role::Admin).await;
    for path in [format!("containerRegistry/{}", it.registry)] {
        own.get(&format!("/organization/{other}/{path}")).await.expect(404);
        own.delete(&format!("/organization/{other}/{path}")).await.expect(404);
    }
    let tokens = format!("/organization/{}/apiToken", it.organization);
    let token = id(&it.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201));
    own.delete(&format!("/organization/{other}/apiToken/{token}")).await.expect(404);
    it.client.get(&format!("/organization/{}/apiToken", it.organization)).await.expect(200);
}
