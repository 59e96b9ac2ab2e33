//! Who may read and write relationships by their own URLs, and the collections that are always empty. Every such operation of the
//! contract is sent by a stranger, a viewer, an administrator, and nobody.

use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::Client;
use crate::terrakube::House;
use crate::validate::TERRAKUBE;

/// The resources of which none can be stored.
const NEVER_STORED: [&str; 7] = [
    "agent",
    "collection",
    "item",
    "reference",
    "notification_configuration",
    "notification_trigger",
    "project_access",
];

/// The statuses for a stranger, a viewer and an administrator.
fn expected(method: &str, path: &str) -> [u16; 3] {
    if path.contains("/relationships/") {
        return if method == "get" { [404, 200, 200] } else { [404, 403, 204] };
    }
    // The parent or the resource itself does not exist.
    if path.contains("{collectionId}") || path.ends_with('}') {
        return [404; 3];
    }
    let is_root = !path.contains('{');
    match (method, is_root) {
        ("get", true) => [200; 3],
        // Nobody has rights outside an organization, and nothing depends on them.
        (_, true) => [400; 3],
        ("get", false) => [404, 200, 200],
        (_, false) => [404, 403, 400],
    }
}

async fn call(client: &Client, method: &str, path: &str, body: &Value) -> u16 {
    let media = [("content-type", "application/vnd.api+json")];
    client.raw_call(&method.to_uppercase(), path, Some(&body.to_string()), &media).await.0
}

#[tokio::test]
async fn each_caller_by_the_operation() {
    let house = House::new().await;
    let workspace = house.workspace("w").await;
    let project = house.create("project", "project", json!({"name": "p"})).await;
    let vcs = house.create("vcs", "vcs", json!({"name": "v", "vcsType": "GITHUB"})).await;
    let key = json!({"name": "k", "sshType": "ed25519", "privateKey": "k"});
    let ssh = house.create("ssh", "ssh", key).await;
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let filled = |path: &str| {
        let path = path.replace("{organizationId}", &house.organization.to_string());
        let ids =
            [("workspaceId", &workspace), ("projectId", &project), ("vcsId", &vcs), ("sshId", &ssh), ("jobId", &job)];
        let path = ids.iter().fold(path, |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        path.split('/')
            .map(|part| if part.starts_with('{') { uuid::Uuid::nil().to_string() } else { part.into() })
            .collect::<Vec<_>>()
            .join("/")
    };
    let mut seen = 0;
    for (path, item) in TERRAKUBE["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/api/v1/"))
    {
        for method in ["get", "post", "patch", "delete"].into_iter().filter(|method| item.get(method).is_some()) {
            let tag = item[method]["tags"][0].as_str().unwrap();
            let is_relationship = path.contains("/relationships/");
            if !is_relationship && !NEVER_STORED.contains(&tag) {
                continue;
            }
            seen += 1;
            let real = filled(path);
            let (mut statuses, mut body) =
                (expected(method, path), json!({"data": {"type": tag, "attributes": {"name": "x", "key": "x"}}}));
            if is_relationship && method != "get" {
                // What is there already: nothing changes, but the right to a change is needed all the same.
                let present: Value = house.client.get_json(&real).await["data"].clone();
                let refusal = match method {
                    "post" | "delete" if present.is_null() => 400,
                    "delete" => 403,
                    _ => 204,
                };
                statuses[2] = refusal;
                body = json!({"data": present});
            }
            for (client, status) in [&stranger, &viewer, &house.client].into_iter().zip(statuses) {
                assert_eq!(call(client, method, &real, &body).await, status, "{method} {path} {body}");
            }
            assert_eq!(call(&house.client.with(None), method, &real, &body).await, 401, "{method} {path}");
        }
    }
    assert!(seen > 60, "{seen} operations");
}

/// A project and its workspaces, from both sides: a change of either is an update of the workspace, and needs the right to it.
#[tokio::test]
async fn members_of_a_relationship_need_the_right_to_each() {
    let house = House::new().await;
    let (mine, other) = (house.workspace("mine").await, house.workspace("other").await);
    let project = house.create("project", "project", json!({"name": "p"})).await;
    let access = json!({"name": "GUESTS", "manageWorkspace": true, "role": "custom"});
    house.create(&format!("workspace/{mine}/access"), "access", access).await;
    let guest = house.of_groups(&["GUESTS"]).await;
    let members = |ids: &[&String]| {
        let all: Vec<Value> = ids.iter().map(|id| json!({"type": "workspace", "id": id})).collect();
        json!({"data": all})
    };
    let path = house.path(&format!("project/{project}/relationships/workspace"));
    // A guest of one workspace sees no projects.
    assert_eq!(call(&guest, "post", &path, &members(&[&mine])).await, 404);
    assert_eq!(call(&house.client, "post", &path, &members(&[&mine, &other])).await, 204);
    assert_eq!(house.client.get_json(&path).await["data"].as_array().unwrap().len(), 2);
    assert_eq!(call(&house.client, "patch", &path, &members(&[&other])).await, 204);
    assert_eq!(house.client.get_json(&path).await, members(&[&other]));
    assert_eq!(call(&house.client, "delete", &path, &members(&[&mine])).await, 204);
    assert_eq!(call(&house.client, "delete", &path, &members(&[])).await, 403);
    assert_eq!(call(&house.client, "delete", &path, &members(&[&other])).await, 204);
    assert_eq!(house.client.get_json(&path).await, members(&[]));
    // A variable always belongs to its workspace.
    let variable = json!({"key": "a", "value": "1", "category": "ENV"});
    let variable = house.create(&format!("workspace/{mine}/variable"), "variable", variable).await;
    let of = |workspace: &str| house.path(&format!("workspace/{workspace}/relationships/variable"));
    let member = json!({"data": [{"type": "variable", "id": variable}]});
    assert_eq!(call(&house.client, "post", &of(&mine), &member).await, 204);
    assert_eq!(call(&house.client, "post", &of(&other), &member).await, 403);
    assert_eq!(call(&house.client, "delete", &of(&mine), &member).await, 403);
    assert_eq!(call(&house.client, "patch", &of(&mine), &json!({"data": []})).await, 403);
    // Bounded.
    let many = json!({"data": vec![json!({"type": "workspace", "id": mine}); 501]});
    assert_eq!(call(&house.client, "post", &path, &many).await, 400);
}
