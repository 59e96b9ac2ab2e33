//! Who may call what among the plain routes of the Terrakube-compatible API. A route without a row fails.

use std::collections::BTreeSet;
use std::path::Path;

use entity::member::Role;
use serde_json::{Value, json};

use crate::harness::{Client, id};
use crate::terrakube::{House, tcl};
use crate::validate::TERRAKUBE;

/// Statuses for an administrator of another organization, a viewer, and an administrator.
const ROUTES: [(&str, &str, [u16; 3]); 24] = [
    ("get", "/access-token/v1/teams", [202, 202, 202]),
    ("post", "/access-token/v1/teams", [403, 403, 201]),
    ("get", "/access-token/v1/teams/current-teams", [202, 202, 202]),
    ("get", "/access-token/v1/teams/permissions/organization/{organizationId}", [404, 202, 202]),
    (
        "get",
        "/access-token/v1/teams/permissions/organization/{organizationId}/workspace/{workspaceId}",
        [404, 202, 202],
    ),
    ("delete", "/access-token/v1/teams/{tokenId}", [404, 404, 404]),
    ("get", "/context/v1/{jobId}", [404, 200, 200]),
    ("post", "/context/v1/{jobId}", [404, 403, 200]),
    // Only people have personal tokens.
    ("get", "/pat/v1", [403, 403, 403]),
    ("post", "/pat/v1", [403, 403, 403]),
    ("delete", "/pat/v1/{tokenId}", [403, 403, 403]),
    ("get", "/tfoutput/v1/organization/{organizationId}/job/{jobId}/step/{stepId}", [404, 200, 200]),
    ("get", "/tfoutput/v1/organization/{organizationId}/job/{jobId}/step/{stepId}/stream", [404, 200, 200]),
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/backend", [403, 403, 204]),
    ("post", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/backend", [403, 403, 200]),
    ("delete", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/backend", [403, 403, 200]),
    ("post", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/import", [403, 403, 201]),
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/resources", [403, 403, 200]),
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/outputs", [403, 403, 200]),
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/comparison", [403, 403, 400]),
    ("post", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/rollback", [403, 403, 400]),
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/drift", [404, 200, 200]),
    ("post", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/drift/accept", [404, 403, 409]),
    ("post", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/drift/revert", [404, 403, 409]),
];
/// The version of a state is named by what is stored.
const VERSION: (&str, &str) =
    ("get", "/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/state/{fileName}");

/// The methods of the state backend that no contract can name, for the same callers.
const LOCKS: [(&str, [u16; 3]); 2] = [("LOCK", [403, 403, 200]), ("UNLOCK", [403, 403, 200])];

/// Routes of the code that are not in the contract: they take the credential of a step only.
const STEPS: [&str; 1] = ["/tfstep/v1/:file"];

#[test]
fn every_plain_route_has_a_row() {
    let rows: BTreeSet<(&str, &str)> =
        ROUTES.iter().map(|(method, path, _)| (*method, *path)).chain([VERSION]).collect();
    let mut described = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for (path, item) in TERRAKUBE["paths"].as_object().unwrap() {
        if path.starts_with("/api/v1/") {
            continue;
        }
        paths.insert(
            path.split('/').map(|part| if part.starts_with('{') { "*" } else { part }).collect::<Vec<_>>().join("/"),
        );
        for method in ["get", "post", "put", "patch", "delete"].into_iter().filter(|method| item.get(method).is_some())
        {
            if item[method]["security"] != json!([]) {
                described.insert((method, path.as_str()));
            }
        }
    }
    assert_eq!(rows, described);
    // The routes of the code are in the contract.
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/terrakube")).unwrap().flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        for path in text.split('"').filter(|text| text.starts_with('/') && text.contains("/v1")) {
            if path.starts_with("/api/v1/") || !path.contains("v1/") && path != "/pat/v1" || STEPS.contains(&path) {
                continue;
            }
            let bare = path
                .split('/')
                .map(|part| if part.starts_with(':') { "*" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            if !bare.contains('{') && text.contains(&format!(".at(\"{path}\"")) {
                assert!(paths.contains(&bare), "{path} is not in the contract");
            }
        }
    }
}

async fn call(client: &Client, method: &str, path: &str, body: &Value) -> u16 {
    client
        .raw_call(&method.to_uppercase(), path, Some(&body.to_string()), &[("content-type", "application/json")])
        .await
        .0
}

#[tokio::test]
async fn each_caller_by_the_rows() {
    let house = House::new().await;
    let workspace = house.workspace("w").await;
    let flow = tcl("flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo hi}]}\n");
    let job = house.start(&workspace, json!({"tcl": flow})).await;
    house.app.settle().await;
    house.app.runner.exit_all(0);
    house.app.settle().await;
    let step = house.get(&format!("job/{job}/step")).await["data"][0]["id"].as_str().unwrap().to_owned();
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    // Somebody whose team was deleted, and whose token was revoked.
    let team = house.create("team", "team", json!({"name": "FORMER", "role": "admin"})).await;
    let former = house.of_groups(&["FORMER"]).await;
    house.client.delete(&house.path(&format!("team/{team}"))).await.expect(204);
    let tokens = format!("/organization/{}/apiToken", house.organization);
    let token = house.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201);
    let revoked = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    revoked.get("/organization").await.expect(200);
    house.client.delete(&format!("{tokens}/{}", id(&token))).await.expect(204);
    let filled = |path: &str| {
        path.replace("{organizationId}", &house.organization.to_string())
            .replace("{workspaceId}", &workspace)
            .replace("{jobId}", &job)
            .replace("{stepId}", &step)
            .replace("{tokenId}", &uuid::Uuid::nil().to_string())
            .replace("{fileName}", "1.json")
    };
    let body = json!({"version": 4, "serial": 1, "lineage": "x", "outputs": {}, "resources": [], "group": "X"});
    for (method, path, expected) in ROUTES {
        let path = filled(path);
        for (client, expected) in [&stranger, &viewer, &house.client].into_iter().zip(expected) {
            assert_eq!(call(client, method, &path, &body).await, expected, "{method} {path}");
        }
        // A caller whose team is gone is a stranger with groups of no team; only a group has no personal tokens.
        assert_eq!(call(&former, method, &path, &body).await, expected[0], "{method} {path} without the team");
    }
    for (method, expected) in LOCKS {
        let path = filled("/tfstate/v1/organization/{organizationId}/workspace/{workspaceId}/backend");
        for (client, expected) in [&stranger, &viewer, &house.client].into_iter().zip(expected) {
            assert_eq!(call(client, method, &path, &json!({"ID": "l"})).await, expected, "{method}");
        }
    }
    let all = ROUTES.iter().map(|(method, path, _)| (*method, *path)).chain([VERSION]);
    for (method, path) in
        all.chain(LOCKS.map(|(method, _)| (method, ROUTES[13].1))).chain([("GET", "/tfstep/v1/source")])
    {
        for (who, client) in [("revoked", &revoked), ("nobody", &house.client.with(None))] {
            assert_eq!(call(client, method, &filled(path), &body).await, 401, "{method} {path} by {who}");
        }
    }
    let version = filled(VERSION.1);
    for (client, expected) in [(&stranger, 403), (&former, 403), (&viewer, 403)] {
        assert_eq!(call(client, "GET", &version, &body).await, expected, "{version}");
    }
    assert_eq!(call(&house.client, "GET", "/tfstep/v1/source", &body).await, 401);
}
