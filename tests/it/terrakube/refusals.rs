//! What is refused, and what is not, as the real server does it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::member::Role;
use md5::Digest as _;
use serde_json::{Value, json};

use super::{House, change, detail, id, new, tcl};
use crate::harness::Client;

impl House {
    fn backend(&self, workspace: &str) -> String {
        format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", self.organization)
    }

    async fn write_state(&self, workspace: &str, query: &str, state: &str, md5: Option<&str>) -> (u16, String) {
        let headers: Vec<_> = md5.into_iter().map(|md5| ("content-md5", md5)).collect();
        self.client.raw_call("POST", &format!("{}{query}", self.backend(workspace)), Some(state), &headers).await
    }
}

fn state(serial: i64, lineage: &str, resources: &Value) -> String {
    json!({"version": 4, "serial": serial, "lineage": lineage, "outputs": {}, "resources": resources}).to_string()
}

fn one_resource() -> Value {
    json!([{"mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [{"attributes": {"id": "1"}}]}])
}

#[tokio::test]
async fn roles_are_read_without_case_and_by_the_table() {
    let house = House::new().await;
    for role in ["Admin", "WRITE", "plan", "", "  ", "Custom"] {
        let name = format!("team {role}");
        let team = house.create("team", "team", json!({"name": name, "role": role})).await;
        assert_eq!(house.get(&format!("team/{team}")).await["data"]["attributes"]["role"], *role);
    }
    let wrong = house.client.post(&house.path("team"), new("team", json!({"name": "x", "role": "boss"}))).await;
    let allowed = "role must be empty or one of admin, write, plan, read, custom";
    assert!(detail(wrong, 400).ends_with(allowed));
    house.create("team", "team", json!({"name": "W", "role": "Write", "manageTemplate": true})).await;
    let writer = house.of_groups(&["W"]).await;
    let made = writer.post(&house.path("workspace"), new("workspace", json!({"name": "mine"}))).await.expect(201);
    let path = house.path(&format!("workspace/{}", id(&made)));
    writer.patch(&path, change("workspace", &id(&made), json!({"branch": "b"}))).await.expect(204);
    let variable = json!({"key": "k", "value": "v", "category": "ENV"});
    writer.post(&format!("{path}/variable"), new("variable", variable)).await.expect(201);
    // Only custom roles read the flags.
    let template = json!({"name": "t", "tcl": tcl("flow:\n- {type: terraformPlan, step: 1}\n")});
    assert_eq!(writer.post(&house.path("template"), new("template", template)).await.status, 403);
    // The same table holds in a single workspace.
    let path = house.path(&format!("workspace/{}", id(&made)));
    let access = json!({"name": "GUESTS", "role": "Write"});
    house.client.post(&format!("{path}/access"), new("access", access)).await.expect(201);
    let guest = house.of_groups(&["GUESTS"]).await;
    guest.patch(&path, change("workspace", &id(&made), json!({"branch": "c"}))).await.expect(204);
    guest.get(&house.backend(&id(&made))).await.expect(204);
}

#[tokio::test]
async fn a_login_in_use_is_not_deleted() {
    let house = House::new().await;
    let workspace = house.workspace("shop").await;
    let path = house.path(&format!("workspace/{workspace}"));
    let vcs = house.create("vcs", "vcs", json!({"name": "hub", "vcsType": "GITHUB"})).await;
    let ssh = house.create("ssh", "ssh", json!({"name": "key", "privateKey": "k"})).await;
    let modules = house.create("ssh", "ssh", json!({"name": "modules", "privateKey": "k"})).await;
    let link = async |kind: &str, id: Option<&str>| {
        let data = id.map(|id| json!({"type": kind, "id": id}));
        house.client.patch(&format!("{path}/relationships/{kind}"), json!({"data": data})).await.expect(204);
    };
    link("vcs", Some(&vcs)).await;
    link("ssh", Some(&ssh)).await;
    let module_key = async |key: Value| {
        house.client.patch(&path, change("workspace", &workspace, json!({"moduleSshKey": key}))).await.expect(204);
    };
    module_key(json!(modules)).await;
    let all = [format!("vcs/{vcs}"), format!("ssh/{ssh}"), format!("ssh/{modules}")].map(|rest| house.path(&rest));
    for one in &all {
        let why = detail(house.client.delete(one).await, 409);
        assert!(why.contains("used by the workspaces shop"), "{why}");
        house.client.get(one).await.expect(200);
    }
    link("vcs", None).await;
    link("ssh", None).await;
    module_key(Value::Null).await;
    for one in &all {
        house.client.delete(one).await.expect(204);
    }
}

#[tokio::test]
async fn a_workspace_with_a_state_is_not_deleted() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = house.path(&format!("workspace/{workspace}"));
    assert_eq!(house.write_state(&workspace, "", &state(3, "l", &one_resource()), None).await.0, 200);
    let why = detail(house.client.delete(&path).await, 409);
    assert!(why.contains("serial 3") && why.contains("deleted"), "{why}");
    let history = async |workspace: &str| {
        house.get(&format!("workspace/{workspace}/history")).await["data"].as_array().unwrap().len()
    };
    assert_eq!(history(&workspace).await, 1);
    let outputs = json!({"version": 4, "serial": 4, "lineage": "l", "outputs": {"a": {"value": 1, "type": "number"}}});
    assert_eq!(house.write_state(&workspace, "", &outputs.to_string(), None).await.0, 200);
    assert_eq!(house.client.delete(&path).await.status, 409);
    assert_eq!(
        house.write_state(&workspace, "", &json!({"serial": 5, "encrypted_data": "x"}).to_string(), None).await.0,
        200
    );
    assert_eq!(house.client.delete(&path).await.status, 409);
    let (status, _) = house.client.raw_call("DELETE", &house.backend(&workspace), None, &[]).await;
    assert_eq!((status, history(&workspace).await), (200, 4));
    house.client.delete(&path).await.expect(204);
    // What a destroy leaves is empty, too; hiding a workspace needs neither.
    let (destroyed, hidden) = (house.workspace("b").await, house.workspace("c").await);
    assert_eq!(house.write_state(&destroyed, "", &state(9, "l", &json!([])), None).await.0, 200);
    house.client.delete(&house.path(&format!("workspace/{destroyed}"))).await.expect(204);
    assert_eq!(house.write_state(&hidden, "", &state(1, "l", &one_resource()), None).await.0, 200);
    let away = change("workspace", &hidden, json!({"deleted": true, "name": "c_DEL_1"}));
    house.client.patch(&house.path(&format!("workspace/{hidden}")), away).await.expect(204);
    use sea_orm::{EntityTrait as _, PaginatorTrait as _};
    assert_eq!(entity::state_version::Entity::find().count(&house.app.app.db).await.unwrap(), 1);
}

#[tokio::test]
async fn a_state_follows_its_lineage_unless_forced() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let write =
        async |query: &str, state: &str, md5: Option<&str>| house.write_state(&workspace, query, state, md5).await;
    let sum = |state: &str| STANDARD.encode(md5::Md5::digest(state.as_bytes()));
    let third = state(3, "l", &json!([]));
    assert_eq!(write("", &third, Some(&sum(&third))).await.0, 200);
    for (state, query, status, why) in [
        (state(2, "l", &json!([])), "", 409, "serial: "),
        (state(4, "other", &json!([])), "", 409, "lineage: "),
        (state(4, "l", &json!([])), "?force=perhaps", 400, "force must be true or false"),
    ] {
        let (found, text) = write(query, &state, None).await;
        assert!(found == status && text.contains(why), "{found} {text}");
    }
    let fourth = state(4, "l", &json!([]));
    let (status, text) = write("", &fourth, Some(&sum(&third))).await;
    assert!(status == 400 && text.contains("Content-MD5: "), "{status} {text}");
    assert_eq!(write("", &fourth, Some("no sum")).await.0, 400);
    let stored = async || house.client.raw_call("GET", &house.backend(&workspace), None, &[]).await.1;
    assert_eq!(stored().await, third, "nothing of this was stored");
    // The same state again is no fault.
    assert_eq!(write("", &third, None).await.0, 200);
    let other = state(1, "other", &json!([]));
    assert_eq!(write("?force=true", &other, None).await.0, 200);
    assert_eq!(stored().await, other);
}

#[tokio::test]
async fn a_version_of_a_tool_may_be_a_range() {
    let house = House::new().await;
    let create = async |name: &str, version: &str| {
        let source = "https://git.example/infra.git";
        let attributes = json!({"name": name, "terraformVersion": version, "iacType": "tofu", "source": source});
        house.client.post(&house.path("workspace"), new("workspace", attributes)).await
    };
    assert!(detail(create("x", "newest").await, 400).starts_with("terraformVersion: must be a version such as"));
    assert!(detail(create("x", ">= 1.0, < 1.1").await, 400).contains("no version"));
    // Where only the state is kept here, the version is somebody else's.
    let local = json!({"name": "local", "terraformVersion": ">= 1.0, < 1.1", "executionMode": "local"});
    house.create("workspace", "workspace", local).await;
    for (number, (version, tag)) in
        [("~>1.11.0", "1.11"), (" 1.11.x ", "1.11"), ("v1.11.4", "1.11.4"), (">= 1.5", "latest")]
            .into_iter()
            .enumerate()
    {
        let workspace = id(&create(&format!("w{number}"), version).await.expect(201));
        house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
        house.app.settle().await;
        let started = house.app.runner.started();
        let image = &started.last().unwrap().image.as_ref().unwrap().reference;
        assert_eq!(*image, format!("ghcr.io/opentofu/opentofu:{tag}"), "{version}");
        let path = house.path(&format!("workspace/{workspace}"));
        let worse = change("workspace", &workspace, json!({"terraformVersion": "1.2.3.4"}));
        assert_eq!(house.client.patch(&path, worse).await.status, 400);
        house.app.runner.exit_all(0);
        house.app.settle().await;
    }
}

#[tokio::test]
async fn keys_of_variables_are_checked_when_they_are_written() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    for collection in [format!("workspace/{workspace}/variable"), "globalvar".to_owned()] {
        let kind = collection.rsplit('/').next().unwrap();
        for (key, category) in [("bad key", "TERRAFORM"), ("1a", "TERRAFORM"), ("bad key", "ENV"), ("a=b", "ENV")] {
            let wrong = new(kind, json!({"key": key, "value": "v", "category": category}));
            let refused = detail(house.client.post(&house.path(&collection), wrong).await, 400);
            assert!(refused.starts_with(&format!("key: a key of category {category} must consist of")), "{refused}");
        }
        let made = house.create(&collection, kind, json!({"key": "1a", "value": "v", "category": "ENV"})).await;
        let path = house.path(&format!("{collection}/{made}"));
        assert_eq!(house.client.patch(&path, change(kind, &made, json!({"category": "TERRAFORM"}))).await.status, 400);
        house.client.patch(&path, change(kind, &made, json!({"value": "w"}))).await.expect(204);
    }
}

#[tokio::test]
async fn a_workspace_of_the_tool_is_ignored_with_a_word() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let variable = json!({"key": "TF_WORKSPACE", "value": "blue", "category": "ENV"});
    house.create(&format!("workspace/{workspace}/variable"), "variable", variable).await;
    let script = "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo hi}]}\n";
    for (attributes, is_passed) in
        [(json!({"templateReference": house.template("Plan").await}), false), (json!({"tcl": tcl(script)}), true)]
    {
        house.start(&workspace, attributes).await;
        house.app.settle().await;
        let started = house.app.runner.started();
        let step = started.last().unwrap();
        assert_eq!(step.environment.iter().any(|(key, _)| key == "TF_WORKSPACE"), is_passed);
        assert_eq!(step.arguments[1].contains("echo 'TF_WORKSPACE is ignored"), !is_passed);
        house.app.runner.exit_all(0);
        house.app.settle().await;
    }
}

#[tokio::test]
async fn an_approval_asks_a_team_that_exists() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = tcl("flow:\n- {type: approval, step: 7, team: NOBODY}\n");
    let template = new("template", json!({"name": "ask", "tcl": flow}));
    let schedule = new("schedule", json!({"cron": "0 0 0 * * ?", "tcl": flow}));
    let collections = ["template".to_owned(), format!("workspace/{workspace}/schedule")].map(|rest| house.path(&rest));
    for (collection, body) in collections.iter().zip([&template, &schedule]) {
        let refused = detail(house.client.post(collection, body.clone()).await, 400);
        assert!(refused.starts_with("tcl: step 7 asks the team NOBODY, which does not exist"), "{refused}");
    }
    assert_eq!(house.ask(&house.client, &workspace, json!({"tcl": flow})).await.status, 400);
    let plain = json!({"name": "plain", "tcl": tcl("flow:\n- {type: approval, step: 1}\n")});
    let plain = house.create("template", "template", plain).await;
    let worse = change("template", &plain, json!({"tcl": flow}));
    assert_eq!(house.client.patch(&house.path(&format!("template/{plain}")), worse.clone()).await.status, 400);
    // Access to a workspace makes a name known, like a team.
    house.create(&format!("workspace/{workspace}/access"), "access", json!({"name": "NOBODY"})).await;
    for (collection, body) in collections.iter().zip([template, schedule]) {
        house.client.post(collection, body).await.expect(201);
    }
    house.start(&workspace, json!({"tcl": flow})).await;
    house.client.patch(&house.path(&format!("template/{plain}")), worse).await.expect(204);
}

/// Whoever may deploy by their role, for any team; and a token of the team.
#[tokio::test]
async fn who_approves_is_recorded() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS", "role": "write"})).await;
    house.create("team", "team", json!({"name": "OTHERS", "role": "write"})).await;
    let flow = tcl("flow:\n- {type: approval, step: 1, team: OPS}\n");
    let template = house.create("template", "template", json!({"name": "ask", "tcl": flow})).await;
    let groups = house.of_groups(&["OPS"]).await;
    let token = groups.post("/access-token/v1/teams", json!({"group": "OPS", "days": 1})).await.expect(201);
    let team = house.client.with(Some(&format!("Bearer {}", token["token"].as_str().unwrap())));
    let member = async |role| house.app.token(house.organization, role).await;
    let cases: [(Client, Option<&str>); 5] = [
        (member(Role::Admin).await, Some("test")),
        (member(Role::Devops).await, Some("test")),
        (team, Some("OPS")),
        (member(Role::Viewer).await, None),
        (house.of_groups(&["OTHERS"]).await, None),
    ];
    for (number, (caller, recorded)) in cases.into_iter().enumerate() {
        let workspace = house.workspace(&format!("w{number}")).await;
        let job = house.start(&workspace, json!({"templateReference": template})).await;
        house.app.settle().await;
        let path = house.path(&format!("job/{job}"));
        let answer = caller.patch(&path, change("job", &job, json!({"status": "approved"}))).await;
        assert_eq!(answer.status, if recorded.is_some() { 204 } else { 403 }, "number {number}");
        let shown = house.get(&format!("job/{job}")).await["data"]["attributes"].clone();
        assert_eq!((shown["approvedBy"].as_str(), shown["approvedDate"].is_string()), (recorded, recorded.is_some()));
    }
}
