//! Runs: uploaded files, plans, approvals and logs, with a fake runner.

use std::io::Write as _;

use entity::member::Role;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{detail, document};
use crate::harness::Client;
use crate::terrakube::{House, change, id};

/// A compressed archive with one file.
fn archive(path: &str, content: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

/// The path of an address that an answer contains.
pub(super) fn path_of(address: &Value) -> String {
    let address = address.as_str().unwrap_or_else(|| panic!("no address: {address}"));
    format!("/{}", address.splitn(4, '/').nth(3).unwrap())
}

/// A document that asks for a run.
fn run_of(workspace: &str, configuration: &str, attributes: Value) -> Value {
    let mut body = document("runs", attributes);
    body["data"]["relationships"] = json!({
        "workspace": {"data": {"type": "workspaces", "id": workspace}},
        "configuration-version": {"data": {"type": "configuration-versions", "id": configuration}},
    });
    body
}

impl House {
    /// A workspace without a source.
    pub(crate) async fn bare_workspace(&self, name: &str) -> String {
        id(&self
            .client
            .post(&self.cloud("workspaces"), document("workspaces", json!({"name": name})))
            .await
            .expect(201))
    }

    /// A configuration of a workspace, with its files.
    pub(super) async fn configuration(&self, workspace: &str, attributes: Value) -> String {
        let path = format!("/api/v2/workspaces/{workspace}/configuration-versions");
        let mut all = json!({"auto-queue-runs": false});
        all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        let made = self.client.post(&path, document("configuration-versions", all)).await.expect(201);
        let upload = path_of(&made["data"]["attributes"]["upload-url"]);
        let sent = self.client.with(None).upload(&upload, archive("main.tf", "output \"a\" { value = 1 }\n")).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let id = id(&made);
        let shown = self.client.get(&format!("/api/v2/configuration-versions/{id}")).await.expect(200);
        assert_eq!(shown["data"]["attributes"]["status"], "uploaded");
        assert_eq!(shown["data"]["attributes"]["upload-url"], Value::Null);
        id
    }

    /// A run of a new configuration.
    pub(super) async fn run(&self, workspace: &str, of: Value, attributes: Value) -> String {
        let configuration = self.configuration(workspace, of).await;
        id(&self.client.post("/api/v2/runs", run_of(workspace, &configuration, attributes)).await.expect(201))
    }

    pub(super) async fn shown_run(&self, run: &str) -> Value {
        self.client.get(&format!("/api/v2/runs/{run}")).await.expect(200)["data"].clone()
    }

    pub(super) async fn run_status(&self, run: &str) -> String {
        self.shown_run(run).await["attributes"]["status"].as_str().unwrap().to_owned()
    }

    pub(super) async fn act(&self, caller: &Client, run: &str, action: &str) -> u16 {
        caller.post(&format!("/api/v2/runs/{run}/actions/{action}"), json!({})).await.status
    }

    /// The plan or the apply of a run: its attributes.
    pub(super) async fn part(&self, run: &str, kind: &str, plural: &str) -> Value {
        let of = self.shown_run(run).await["relationships"][kind]["data"]["id"].as_str().unwrap().to_owned();
        self.client.get(&format!("/api/v2/{plural}/{of}")).await.expect(200)["data"]["attributes"].clone()
    }
}

#[tokio::test]
async fn plan_confirm_apply() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({"message": "Larger disks"})).await;
    assert_eq!(house.run_status(&run).await, "pending");
    let shown = house.client.get(&format!("/api/v2/workspaces/{workspace}")).await.expect(200);
    assert_eq!(shown["data"]["relationships"]["current-run"]["data"], json!({"id": run, "type": "runs"}));
    house.app.settle().await;
    assert_eq!(house.run_status(&run).await, "planning");
    let plan = house.part(&run, "plan", "plans").await;
    assert_eq!((&plan["status"], &plan["has-changes"]), (&json!("running"), &json!(false)));
    house.end(0, r#"{"changes":true,"commit":null}"#).await;
    let shown = house.shown_run(&run).await["attributes"].clone();
    assert_eq!(
        (&shown["status"], &shown["has-changes"], &shown["message"]),
        (&json!("planned"), &json!(true), &json!("Larger disks"))
    );
    assert_eq!((&shown["actions"]["is-confirmable"], &shown["permissions"]["can-apply"]), (&json!(true), &json!(true)));
    assert_eq!(house.part(&run, "plan", "plans").await["status"], "finished");
    assert_eq!(house.act(&house.client, &run, "apply").await, 202);
    assert_eq!(house.run_status(&run).await, "confirmed");
    assert_eq!(house.act(&house.client, &run, "apply").await, 409, "it cannot be confirmed twice");
    house.app.settle().await;
    assert_eq!(house.run_status(&run).await, "applying");
    let started = house.app.runner.started();
    assert!(started.iter().any(|step| step.arguments[1].contains("-auto-approve \"$@\" windlass.plan")));
    house.end(0, "").await;
    assert_eq!(house.run_status(&run).await, "applied");
    assert_eq!(house.part(&run, "apply", "applies").await["status"], "finished");
    // It is a job like any other.
    let job = house.get(&format!("job/{}", run.trim_start_matches("run-"))).await["data"]["attributes"].clone();
    assert_eq!((&job["status"], &job["via"], &job["approvedBy"]), (&json!("completed"), &json!("CLI"), &json!("test")));
}

#[tokio::test]
async fn a_speculative_plan_changes_nothing_and_waits_for_nothing() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let waiting = house.run(&workspace, json!({}), json!({})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    house
        .client
        .post(&format!("/api/v2/workspaces/{workspace}/actions/lock"), json!({"reason": "mine"}))
        .await
        .expect(200);
    let run = house.run(&workspace, json!({"speculative": true}), json!({"is-destroy": true})).await;
    house.app.settle().await;
    let started = house.app.runner.started();
    let script = &started.last().unwrap().arguments[1];
    assert!(script.contains(" plan -input=false -no-color -lock=false -destroy"), "{script}");
    house.end(0, r#"{"changes":true}"#).await;
    let shown = house.shown_run(&run).await["attributes"].clone();
    assert_eq!((&shown["status"], &shown["plan-only"]), (&json!("planned_and_finished"), &json!(true)));
    assert_eq!((&shown["has-changes"], &shown["actions"]["is-confirmable"]), (&json!(true), &json!(false)));
    assert_eq!(house.act(&house.client, &run, "apply").await, 409);
    assert_eq!(house.run_status(&waiting).await, "planned");
    let listed = house.client.get(&format!("/api/v2/workspaces/{workspace}/runs")).await.expect(200);
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [run.as_str(), waiting.as_str()]);
}

#[tokio::test]
async fn applied_without_asking_discarded_cancelled_and_saved() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let automatic = house.run(&workspace, json!({}), json!({"auto-apply": true})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.run_status(&automatic).await, "applying");
    house.end(0, "").await;
    assert_eq!(house.run_status(&automatic).await, "applied");
    let discarded = house.run(&workspace, json!({}), json!({})).await;
    house.app.settle().await;
    assert_eq!(house.act(&house.client, &discarded, "discard").await, 409, "there is nothing to discard yet");
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.act(&house.client, &discarded, "discard").await, 202);
    assert_eq!(house.run_status(&discarded).await, "discarded");
    let cancelled = house.run(&workspace, json!({}), json!({})).await;
    assert_eq!(house.act(&house.client, &cancelled, "cancel").await, 202);
    assert_eq!(house.run_status(&cancelled).await, "canceled");
    assert_eq!(house.part(&cancelled, "plan", "plans").await["status"], "canceled");
    // Other runs do not wait for a plan that was saved.
    let saved = house.run(&workspace, json!({"provisional": true}), json!({"save-plan": true})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.run_status(&saved).await, "planned_and_saved");
    let next = house.run(&workspace, json!({}), json!({})).await;
    house.app.settle().await;
    assert_eq!(house.run_status(&next).await, "planning");
    house.end(0, r#"{"changes":false}"#).await;
    assert_eq!(house.run_status(&next).await, "planned_and_finished");
    assert_eq!(house.act(&house.client, &saved, "apply").await, 202);
    house.app.settle().await;
    assert_eq!(house.run_status(&saved).await, "applying");
}

#[tokio::test]
async fn a_stale_plan_cannot_be_confirmed() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    let path = format!("/api/v2/workspaces/{workspace}/vars");
    let size = document("vars", json!({"key": "size", "value": "1", "category": "terraform"}));
    let size = id(&house.client.post(&path, size).await.expect(201));
    let actions = async || house.shown_run(&run).await["attributes"]["actions"].clone();
    let stale = actions().await;
    assert_eq!((&stale["is-confirmable"], &stale["is-discardable"]), (&json!(false), &json!(true)));
    let refused = house.client.post(&format!("/api/v2/runs/{run}/actions/apply"), json!({})).await;
    assert!(detail(refused, 409).contains("the plan is stale: variables were changed"));
    house.client.delete(&format!("{path}/{size}")).await.expect(204);
    assert_eq!(actions().await["is-confirmable"], true);
    assert_eq!(house.act(&house.client, &run, "apply").await, 202);
}

/// A plan alone destroys nothing.
#[tokio::test]
async fn a_protected_workspace_can_be_planned_for_its_destruction() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let protect = change("workspace", &workspace, json!({"destroyProtection": true}));
    house.client.patch(&house.path(&format!("workspace/{workspace}")), protect).await.expect(204);
    let run = house.run(&workspace, json!({"speculative": true}), json!({"is-destroy": true})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.run_status(&run).await, "planned_and_finished");
    let configuration = house.configuration(&workspace, json!({})).await;
    let destroy = run_of(&workspace, &configuration, json!({"is-destroy": true}));
    assert!(detail(house.client.post("/api/v2/runs", destroy).await, 409).contains("destroyProtection"));
}

/// Programs count bytes from the beginning, and look for the end only when they have seen its mark.
#[tokio::test]
async fn logs_are_read_by_bytes() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({})).await;
    let address = path_of(&house.part(&run, "plan", "plans").await["log-read-url"]);
    let read = async |offset: usize| house.client.bytes(&format!("{address}?limit=7&offset={offset}")).await;
    assert_eq!(read(0).await, [2], "nothing has been written");
    assert!(read(1).await.is_empty());
    house.app.settle().await;
    let step = house.app.runner.steps().remove(0);
    house.app.runner.write(&step, &["a l\u{f6}ng line", "the end"]);
    house.app.settle().await;
    house.end(1, "").await;
    let mut all = Vec::new();
    loop {
        let piece = read(all.len()).await;
        assert!(piece.len() <= 7);
        if piece.is_empty() {
            break;
        }
        all.extend(piece);
    }
    let text = String::from_utf8(all).unwrap();
    assert_eq!(text, "\u{2}a l\u{f6}ng line\nthe end\n\nError: exit code 1\n\u{3}");
    assert_eq!(house.run_status(&run).await, "errored");
    assert_eq!(house.part(&run, "plan", "plans").await["status"], "errored");
    // The apply did not begin, and its log says no more.
    let apply = path_of(&house.part(&run, "apply", "applies").await["log-read-url"]);
    assert_eq!(house.client.bytes(&format!("{apply}?offset=0")).await, b"\x02\n\n\n\x03");
    let mut wrong = address.clone();
    wrong.replace_range(wrong.len() - 4.., "AAAA");
    assert_eq!(house.client.with(None).get(&wrong).await.status, 404);
}

#[tokio::test]
async fn uploads_are_checked() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let path = format!("/api/v2/workspaces/{workspace}/configuration-versions");
    let create =
        async |attributes: Value| house.client.post(&path, document("configuration-versions", attributes)).await;
    let queued = detail(create(json!({})).await, 422);
    assert!(queued.starts_with("data.attributes.auto-queue-runs: must be false"), "{queued}");
    let both = detail(create(json!({"auto-queue-runs": false, "speculative": true, "provisional": true})).await, 422);
    assert_eq!(both, "data.attributes.provisional: must be false if speculative is true");
    let made = create(json!({"auto-queue-runs": false})).await.expect(201);
    let (configuration, upload) = (id(&made), path_of(&made["data"]["attributes"]["upload-url"]));
    let early = house.client.post("/api/v2/runs", run_of(&workspace, &configuration, json!({}))).await;
    assert_eq!(detail(early, 422), "data.relationships.configuration-version: its files were not uploaded");
    let nobody = house.client.with(None);
    let refused = nobody.upload(&upload, b"plain text".to_vec()).await;
    assert_eq!(detail(refused, 422), "body: must be an archive of the kind tar, compressed by gzip");
    let shown = house.client.get(&format!("/api/v2/configuration-versions/{configuration}")).await.expect(200);
    assert_eq!(shown["data"]["attributes"]["status"], "errored");
    // What was refused can be sent again.
    assert_eq!(nobody.upload(&upload, archive("main.tf", "")).await.status, 200);
    assert_eq!(nobody.upload(&upload, archive("main.tf", "")).await.status, 409);
    let large = create(json!({"auto-queue-runs": false})).await.expect(201);
    let mut bytes = GzEncoder::new(Vec::new(), Compression::none());
    bytes.write_all(&vec![0; 101 * 1024 * 1024]).unwrap();
    let refused = nobody.upload(&path_of(&large["data"]["attributes"]["upload-url"]), bytes.finish().unwrap()).await;
    assert_eq!(detail(refused, 422), "body: must not be larger than 100 MiB");
}

/// A plan without changes ends its run, unless its run may be applied all the same.
#[tokio::test]
async fn an_empty_plan_is_applied_on_request() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    for (attributes, status) in [(json!({}), "planned_and_finished"), (json!({"allow-empty-apply": true}), "planned")] {
        let run = house.run(&workspace, json!({}), attributes).await;
        house.app.settle().await;
        house.end(0, r#"{"changes":false,"commit":null}"#).await;
        let shown = house.shown_run(&run).await["attributes"].clone();
        assert_eq!((&shown["status"], &shown["has-changes"]), (&json!(status), &json!(false)));
        assert_eq!(shown["actions"]["is-confirmable"], status == "planned");
        if status == "planned" {
            assert_eq!(house.act(&house.client, &run, "apply").await, 202);
            house.app.settle().await;
            house.end(0, "").await;
            assert_eq!(house.run_status(&run).await, "applied");
        }
    }
}

#[tokio::test]
async fn requests_are_checked() {
    let house = House::new().await;
    let (workspace, other) = (house.bare_workspace("network").await, house.bare_workspace("other").await);
    let configuration = house.configuration(&workspace, json!({})).await;
    let ask = async |workspace: &str, attributes: Value| {
        detail(house.client.post("/api/v2/runs", run_of(workspace, &configuration, attributes)).await, 422)
    };
    for (attributes, expected) in [
        (json!({"save-plan": true}), "data.attributes.save-plan: needs a configuration that is provisional"),
        (
            json!({"plan-only": true, "auto-apply": true}),
            "data.attributes.auto-apply: must be false for a plan that is not applied, or later",
        ),
        (
            json!({"target-addrs": [""]}),
            "data.attributes.target-addrs: must have at most 500 addresses, of which none is empty",
        ),
    ] {
        assert_eq!(ask(&workspace, attributes).await, expected);
    }
    assert_eq!(ask(&other, json!({})).await, "data.relationships.configuration-version: belongs to another workspace");
    let local = document("workspaces", json!({"execution-mode": "local"}));
    house.client.patch(&format!("/api/v2/workspaces/{workspace}"), local).await.expect(200);
    assert!(ask(&workspace, json!({})).await.starts_with("data.relationships.workspace: its execution mode is local"));
    let none = document("runs", json!({}));
    let missing = detail(house.client.post("/api/v2/runs", none).await, 422);
    assert_eq!(missing, "data.relationships.workspace: must name a workspace");
}

/// Who may only look can read a run and do nothing with it; somebody else does not see it.
#[tokio::test]
async fn rights() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let seen = viewer.get(&format!("/api/v2/runs/{run}")).await.expect(200);
    assert_eq!(seen["data"]["attributes"]["permissions"]["can-apply"], false);
    for action in ["apply", "discard", "cancel"] {
        assert_eq!(house.act(&viewer, &run, action).await, 403, "{action}");
    }
    let configuration = house.configuration(&workspace, json!({})).await;
    assert_eq!(viewer.post("/api/v2/runs", run_of(&workspace, &configuration, json!({}))).await.status, 403);
    let elsewhere = house.app.organization("other").await;
    let stranger = house.app.token(elsewhere, Role::Admin).await;
    for path in
        [format!("runs/{run}"), format!("configuration-versions/{configuration}"), format!("runs/{run}/run-events")]
    {
        assert_eq!(stranger.get(&format!("/api/v2/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(house.act(&stranger, &run, "apply").await, 404);
}

/// Values that somebody gives to one run override those of the workspace, and the apply uses those of the plan.
#[tokio::test]
async fn variables_of_one_run() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let variables = json!([{"key": "size", "value": "\"large\""}, {"key": "zones", "value": "[1, 2]"}]);
    let run = house.run(&workspace, json!({}), json!({"variables": variables})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.act(&house.client, &run, "apply").await, 202);
    house.app.settle().await;
    let started = house.app.runner.started();
    assert_eq!(started.len(), 2);
    for step in started {
        let values = step.files.iter().find(|file| file.variables == ["WINDLASS_VALUES"]).unwrap();
        assert_eq!(values.content.expose(), "size = \"large\"\nzones = [1, 2]\n");
    }
}

#[tokio::test]
async fn variables_of_a_run_are_expressions() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let configuration = house.configuration(&workspace, json!({})).await;
    let variables = json!([{"key": "size", "value": "1"}, {"key": "zones", "value": "[1, 2"}]);
    let asked = run_of(&workspace, &configuration, json!({"variables": variables}));
    let refused = detail(house.client.post("/api/v2/runs", asked).await, 422);
    let said = "data.attributes.variables: the value of the variable zones is no expression of HCL (line ";
    assert!(refused.starts_with(said), "{refused}");
}

#[tokio::test]
async fn lists_that_programs_ask_for() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let first = house.run(&workspace, json!({}), json!({"message": "first"})).await;
    let second = house.run(&workspace, json!({}), json!({})).await;
    for list in ["run-events", "policy-checks", "task-stages"] {
        assert_eq!(house.client.get(&format!("/api/v2/runs/{first}/{list}")).await.expect(200), json!({"data": []}));
    }
    let comments = house.client.get(&format!("/api/v2/runs/{first}/comments")).await.expect(200);
    assert_eq!(comments["data"][0]["attributes"]["body"], "first");
    let queue = house.client.get(&house.cloud("runs/queue")).await.expect(200);
    let places: Vec<(&str, i64)> = queue["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["id"].as_str().unwrap(), run["attributes"]["position-in-queue"].as_i64().unwrap()))
        .collect();
    assert_eq!(places, [(first.as_str(), 1), (second.as_str(), 2)]);
    let capacity = house.client.get(&house.cloud("capacity")).await.expect(200);
    assert_eq!(capacity["data"]["attributes"], json!({"organization": "acme", "pending": 2, "running": 0}));
    let (status, headers) = house.client.headers("GET", &format!("/app/acme/network/runs/{first}"), None).await;
    let page = format!("/console/workspace-job/{}", first.trim_start_matches("run-"));
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, page.as_str()));
    for wrong in ["run-x", "1", "run-01"] {
        assert_eq!(house.client.get(&format!("/api/v2/runs/{wrong}")).await.status, 404, "{wrong}");
    }
    let whole = house.client.get(&format!("/api/v2/runs/{first}?include=workspace,plan,task_stages")).await.expect(200);
    let kinds: Vec<&str> =
        whole["included"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["workspaces", "plans"]);
}
