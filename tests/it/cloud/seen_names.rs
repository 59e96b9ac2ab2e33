//! Steps that see the name of their workspace: they reach its state by the API of `cloud` blocks, with their own credential.

use sea_orm::{EntityTrait as _, sea_query::Expr};
use serde_json::{Value, json};

use super::document;
use super::states::md5;
use super::terraform::{Desk, programs};
use crate::harness::{Answer, Client};
use crate::terrakube::{House, change, id, tcl};

/// A module that names things by its workspace plans the same on the server as on the machine of its author.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modules_see_the_name_of_their_workspace() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("tagged", &desk.cloud("tags = [\"app\"]"));
        let named = "variable \"TFC_WORKSPACE_NAME\" {}\nvariable \"TFC_RUN_ID\" {}\n\
                     resource \"terraform_data\" \"named\" { input = \"app-${terraform.workspace}\" }\n\
                     output \"names\" { value = \"${terraform_data.named.output} ${var.TFC_WORKSPACE_NAME} ${var.TFC_RUN_ID}\" }\n";
        std::fs::write(folder.join("named.tf"), named).unwrap();
        let mut made = document("workspaces", json!({"name": "eu"}));
        made["data"]["relationships"] = json!({"tags": {"data": [{"type": "tags", "attributes": {"name": "app"}}]}});
        assert_eq!(desk.api("POST", "/api/v2/organizations/windlass/workspaces", Some(made)).await.0, 201);
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        desk.run(&folder, &["workspace", "new", "us"]);
        for (number, name) in ["us", "eu"].into_iter().enumerate() {
            desk.run(&folder, &["workspace", "select", name]);
            let applied = desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
            assert!(applied.contains(&format!("app-{name} {name} run-{}", number + 1)), "{applied}");
            assert_eq!(desk.workspace(name).await["attributes"]["locked"], false);
        }
        // The next run plans from the state that the user has changed.
        desk.run(&folder, &["state", "rm", "terraform_data.named"]);
        let planned = desk.run(&folder, &["plan", "-input=false", "-no-color"]);
        assert!(planned.contains("Plan: 1 to add, 0 to change, 0 to destroy"), "{planned}");
    }
}

/// The credential of a running step of a workspace that sees its name.
async fn step(house: &House, name: &str, flow: &str) -> (String, Client) {
    let workspace = house.workspace(name).await;
    let path = house.path(&format!("workspace/{workspace}"));
    house.client.patch(&path, change("workspace", &workspace, json!({"seesName": true}))).await.expect(204);
    house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    let started = house.app.runner.started();
    let spec = started.last().unwrap();
    let (_, token) = spec.environment.iter().find(|(key, _)| key == "TF_HTTP_PASSWORD").unwrap();
    (workspace, house.client.with(Some(&format!("Bearer {}", token.expose()))))
}

const SCRIPTS: &str =
    "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, before: true, script: 'true'}]}\n";

async fn output(house: &House, job: &str) -> Value {
    house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone()
}

async fn act(client: &Client, workspace: &str, action: &str) -> Answer {
    client
        .post(&format!("/api/v2/workspaces/{workspace}/actions/{action}"), json!({"reason": "Locked by Terraform"}))
        .await
}

/// Announces a state of this serial; the digest is that of what `upload` sends.
async fn announce(client: &Client, workspace: &str, serial: i32) -> Answer {
    let md5 = md5(std::str::from_utf8(&state(serial)).unwrap());
    let body = document("state-versions", json!({"serial": serial, "lineage": "l", "md5": md5}));
    client.post(&format!("/api/v2/workspaces/{workspace}/state-versions"), body).await
}

fn state(serial: i32) -> Vec<u8> {
    json!({"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": []}).to_string().into_bytes()
}

fn path_of(address: &Value) -> String {
    format!("/{}", address.as_str().unwrap().splitn(4, '/').nth(3).unwrap())
}

#[tokio::test]
async fn a_step_reaches_the_state_of_its_workspace_and_nothing_else() {
    let house = House::new().await;
    let (workspace, client) = step(&house, "mine", SCRIPTS).await;
    let other = house.bare_workspace("other").await;
    let found = client.get(&house.cloud("workspaces/mine")).await.expect(200);
    assert_eq!((id(&found), &found["data"]["attributes"]["terraform-version"]), (workspace.clone(), &json!("latest")));
    client.get(&house.cloud("entitlement-set")).await.expect(200);
    for path in [
        format!("/api/v2/workspaces/{other}"),
        format!("/api/v2/workspaces/{other}/current-state-version"),
        "/api/v2/organizations/others/entitlement-set".to_owned(),
    ] {
        assert_eq!(client.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(act(&client, &other, "lock").await.status, 404);
    for path in
        [house.cloud("workspaces"), format!("/api/v2/workspaces/{workspace}/vars"), "/api/v2/account/details".into()]
    {
        assert_eq!(client.get(&path).await.status, 401, "{path}");
    }
    // It stores a state under its own lock, and others wait for it.
    act(&client, &workspace, "lock").await.expect(200);
    let title = act(&house.client, &workspace, "lock").await.expect(409)["errors"][0]["title"].clone();
    assert_eq!(title, "workspace already locked: mine is locked by Run run-1");
    assert_eq!(announce(&house.client, &workspace, 1).await.status, 409);
    let announced = announce(&client, &workspace, 1).await.expect(201);
    let upload = path_of(&announced["data"]["attributes"]["hosted-state-upload-url"]);
    assert_eq!(house.client.with(None).upload(&upload, state(1)).await.status, 200);
    let current = client.get(&format!("/api/v2/workspaces/{workspace}/current-state-version")).await.expect(200);
    assert_eq!(current["data"]["relationships"]["run"]["data"]["id"], "run-1");
    let download = path_of(&current["data"]["attributes"]["hosted-state-download-url"]);
    assert_eq!(client.get(&download).await.expect(200)["serial"], 1);
    let shown = client.get(&format!("/api/v2/state-versions/{}", id(&announced))).await.expect(200);
    assert_eq!(shown["data"]["attributes"]["status"], "finalized");
    // A killed step releases its lock, and its addresses are of no use any more.
    let late =
        path_of(&announce(&client, &workspace, 2).await.expect(201)["data"]["attributes"]["hosted-state-upload-url"]);
    house.app.runner.exit_all(137);
    house.app.settle().await;
    assert_eq!(house.client.with(None).upload(&late, state(2)).await.status, 404);
    assert_eq!(client.get(&house.cloud("workspaces/mine")).await.status, 401);
    act(&house.client, &workspace, "lock").await.expect(200);
}

/// A step says for whom it waits, and one that may only read writes nothing.
#[tokio::test]
async fn a_step_waits_for_the_lock_of_a_person() {
    let house = House::new().await;
    let (workspace, client) = step(&house, "mine", "flow:\n- {type: terraformPlan, step: 1}\n").await;
    act(&house.client, &workspace, "lock").await.expect(200);
    let refused = act(&client, &workspace, "lock").await.expect(409);
    assert_eq!(refused["errors"][0]["title"], "workspace already locked: mine is locked by User");
    assert!(
        output(&house, "1")
            .await
            .as_str()
            .unwrap()
            .starts_with("the lock of the state is held by test (Locked by Terraform)")
    );
    act(&house.client, &workspace, "unlock").await.expect(200);
    act(&client, &workspace, "lock").await.expect(200);
    assert_eq!(output(&house, "1").await, Value::Null);
    let refused = announce(&client, &workspace, 1).await.expect(403);
    assert_eq!(refused["errors"][0]["detail"], "this step may read the state, but not write it");
    // It stores what it did also while its workspace is hidden.
    let hide = entity::workspace::Entity::update_many().col_expr(entity::workspace::Column::Deleted, Expr::value(true));
    hide.exec(&house.app.app.db).await.unwrap();
    act(&client, &workspace, "unlock").await.expect(200);
}

/// Workspaces of the Terrakube-compatible API see `default`, as they do there, unless they ask for their names.
#[tokio::test]
async fn names_are_seen_on_request() {
    let house = House::new().await;
    let script = async |workspace: &str| {
        house.start(workspace, json!({"templateReference": house.template("Plan").await})).await;
        house.app.settle().await;
        house.app.runner.started().last().unwrap().arguments[1].clone()
    };
    let workspace = house.workspace("prod").await;
    assert_eq!(house.get(&format!("workspace/{workspace}")).await["data"]["attributes"]["seesName"], false);
    let text = script(&workspace).await;
    assert!(text.contains("backend \"http\"") && !text.contains("cloud {"), "{text}");
    house.app.runner.exit_all(1);
    house.app.settle().await;
    let path = house.path(&format!("workspace/{workspace}"));
    house.client.patch(&path, change("workspace", &workspace, json!({"seesName": true}))).await.expect(204);
    let text = script(&workspace).await;
    assert!(text.contains("name = \"prod\"") && text.contains(&house.organization.to_string()), "{text}");
    house.app.runner.exit_all(1);
    house.app.settle().await;
    // The programs accept no such name.
    house.client.patch(&path, change("workspace", &workspace, json!({"name": "the network"}))).await.expect(204);
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    house.app.settle().await;
    let said = output(&house, &job).await.to_string();
    assert!(said.contains("terraform.workspace cannot be the name of this workspace"), "{said}");
}
