//! Workspace jobs, advanced by ticks, with a fake runner.

use serde_json::{Value, json};
use windlass::runner::StepState;

use super::{House, change, detail, tcl};

const PLAN_AND_ASK: &str = "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150, team: OPS}\n- {type: terraformApply, step: 200}\n";

impl House {
    /// Ends what is executed, and what it leaves.
    pub(crate) async fn end(&self, exit_code: i32, left: &str) {
        for name in self.app.runner.steps() {
            self.app.runner.leave(&name, left);
        }
        self.app.runner.exit_all(exit_code);
        self.app.settle().await;
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What is no hash would be a name or an option of `git`.
#[tokio::test]
async fn only_the_hash_of_a_commit_is_checked_out() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS"})).await;
    let workspace = house.workspace("a").await;
    for wrong in ["--quiet", "main", "0123ab", "0123abcd^"] {
        let job = json!({"tcl": tcl(PLAN_AND_ASK), "commitId": wrong});
        let problem = house.ask(&house.client, &workspace, job).await.expect(400).to_string();
        assert!(problem.contains("commitId: must be the hash of a commit"), "{problem}");
    }
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true,"commit":"--quiet"}"#).await;
    let shown = house.get(&format!("job/{job}")).await;
    assert_eq!(shown["data"]["attributes"]["status"], "waitingApproval");
    assert_eq!(shown["data"]["attributes"]["commitId"], json!(null));
}

#[tokio::test]
async fn plan_approve_apply() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS"})).await;
    let workspace = house.workspace("a").await;
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK), "via": null, "approvalTeam": null})).await;
    assert_eq!(job, "1");
    assert_eq!(house.status(&job).await, ("pending".into(), words(&["pending", "pending", "pending"])));
    house.app.settle().await;
    assert_eq!(house.status(&job).await, ("running".into(), words(&["running", "pending", "pending"])));
    let started = house.app.runner.started().remove(0);
    assert!(started.arguments[1].contains("plan -input=false"), "{started:?}");
    house.end(0, r#"{"changes":true,"commit":"0123abcd"}"#).await;
    let (status, _) = house.status(&job).await;
    assert_eq!(status, "waitingApproval");
    let shown = house.get(&format!("job/{job}")).await["data"]["attributes"].clone();
    assert_eq!((&shown["approvalTeam"], &shown["commitId"]), (&json!("OPS"), &json!("0123abcd")));
    // Nothing goes on by itself.
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "waitingApproval");
    house.give(&job, "approved").await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&job).await, ("running".into(), words(&["completed", "completed", "running"])));
    let apply = house.app.runner.started().remove(1);
    assert!(apply.arguments[1].contains("-auto-approve \"$@\" windlass.plan"), "{apply:?}");
    // The plan is handed over, as it was left.
    let plan = apply.files.iter().find(|file| file.variables == ["WINDLASS_PLAN"]).unwrap();
    assert!(!plan.content.expose().is_empty());
    house.end(0, r#"{"changes":null,"commit":"0123"}"#).await;
    assert_eq!(house.status(&job).await, ("completed".into(), words(&["completed", "completed", "completed"])));
    let shown = house.get(&format!("job/{job}")).await["data"]["attributes"].clone();
    assert_eq!((&shown["approvedBy"], &shown["planChanges"]), (&json!("test"), &json!(true)));
    let workspace = house.get(&format!("workspace/{workspace}")).await;
    assert_eq!(workspace["data"]["attributes"]["lastJobStatus"], "completed");
    assert!(house.app.runner.steps().is_empty());
}

#[tokio::test]
async fn nothing_to_change_ends_it() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS"})).await;
    let workspace = house.workspace("a").await;
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":false,"commit":null}"#).await;
    assert_eq!(house.status(&job).await, ("completed".into(), words(&["completed", "notExecuted", "notExecuted"])));
    assert_eq!(house.get(&format!("job/{job}")).await["data"]["attributes"]["planChanges"], false);
}

#[tokio::test]
async fn a_failure_ends_it_unless_it_is_ignored() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let plan = house.template("Plan and apply").await;
    let job = house.start(&workspace, json!({"templateReference": plan})).await;
    house.app.settle().await;
    house.end(1, "").await;
    assert_eq!(house.status(&job).await, ("failed".into(), words(&["failed", "notExecuted"])));
    let output = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone();
    assert_eq!(output, "Plan: exit code 1");
    let flow = "flow:\n- {type: customScripts, step: 1, ignoreError: true, commands: [{runtime: BASH, script: 'exit 3'}]}\n- {type: terraformDestroy, step: 2}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    house.end(3, "").await;
    assert_eq!(house.status(&job).await, ("running".into(), words(&["completed", "running"])));
}

#[tokio::test]
async fn one_after_the_other_in_a_workspace_only() {
    let house = House::new().await;
    let (a, b) = (house.workspace("a").await, house.workspace("b").await);
    let plan = house.template("Plan and apply").await;
    let of = json!({"templateReference": plan});
    let (first, second) = (house.start(&a, of.clone()).await, house.start(&a, of.clone()).await);
    let other = house.start(&b, of.clone()).await;
    house.app.settle().await;
    let statuses = async || {
        let mut found = Vec::new();
        for job in [&first, &second, &other] {
            found.push(house.status(job).await.0);
        }
        found
    };
    assert_eq!(statuses().await, ["running", "pending", "running"]);
    house.end(0, r#"{"changes":false}"#).await;
    assert_eq!(statuses().await, ["completed", "running", "completed"]);
    house.end(0, r#"{"changes":false}"#).await;
    assert_eq!(statuses().await, ["completed", "completed", "completed"]);
    // A locked workspace holds up nobody but itself.
    let lock = |locked: bool| change("workspace", &a, json!({"locked": locked, "lockDescription": "repairs"}));
    house.client.patch(&house.path(&format!("workspace/{a}")), lock(true)).await.expect(204);
    let (held, free) = (house.start(&a, of.clone()).await, house.start(&b, of).await);
    house.app.settle().await;
    assert_eq!((house.status(&held).await.0, house.status(&free).await.0), ("pending".into(), "running".into()));
    house.client.patch(&house.path(&format!("workspace/{a}")), lock(false)).await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&held).await.0, "running");
}

#[tokio::test]
async fn cancelled_before_in_and_between_steps() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS"})).await;
    let workspace = house.workspace("a").await;
    // Before anything began.
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.give(&job, "cancelled").await.expect(204);
    assert_eq!(house.status(&job).await, ("cancelled".into(), words(&["cancelled", "cancelled", "cancelled"])));
    house.give(&job, "cancelled").await.expect(204);
    house.app.settle().await;
    assert!(house.app.runner.started().is_empty());
    // While a step is executed: its process is asked to end, and only then it is over.
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.app.settle().await;
    house.give(&job, "cancelled").await.expect(204);
    house.app.tick().await;
    assert_eq!(house.app.runner.stopped().len(), 1);
    assert!(house.app.runner.started()[0].interrupt);
    assert_eq!(house.status(&job).await.0, "running");
    house.app.settle().await;
    assert_eq!(house.status(&job).await, ("cancelled".into(), words(&["cancelled", "cancelled", "cancelled"])));
    // While it waits for an approval.
    let job = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.status(&job).await.0, "waitingApproval");
    house.give(&job, "cancelled").await.expect(204);
    assert_eq!(house.status(&job).await, ("cancelled".into(), words(&["completed", "cancelled", "cancelled"])));
}

#[tokio::test]
async fn rejected_with_scripts_for_that() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: approval, step: 1, onReject: [{runtime: BASH, script: echo sorry}]}\n- {type: terraformApply, step: 2}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    house.give(&job, "rejected").await.expect(204);
    assert_eq!(house.status(&job).await, ("rejected".into(), words(&["rejected", "notExecuted"])));
    house.app.settle().await;
    let started = house.app.runner.started().remove(0);
    assert_eq!(started.files[0].content.expose(), "echo sorry");
    house.end(0, "").await;
    assert_eq!(house.status(&job).await, ("rejected".into(), words(&["rejected", "notExecuted"])));
    // What has ended stays so.
    for status in ["approved", "cancelled", "pending", "completed"] {
        let refused = detail(house.give(&job, status).await, 409);
        assert_eq!(refused, format!("a job that is rejected cannot become {status}"));
    }
    // A comment comes along with the status that it has.
    let path = house.path(&format!("job/{job}"));
    let both = change("job", &job, json!({"status": "rejected", "comments": "as I said"}));
    house.client.patch(&path, both).await.expect(204);
    assert_eq!(house.get(&format!("job/{job}")).await["data"]["attributes"]["comments"], "as I said");
}

/// The rejection scripts of a job run after its end; until they have ended, neither the job, its workspace nor its organization is
/// deleted.
#[tokio::test]
async fn nothing_is_deleted_while_rejection_scripts_run() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: approval, step: 1, onReject: [{runtime: BASH, script: echo sorry}]}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    house.give(&job, "rejected").await.expect(204);
    let paths = [house.path(&format!("job/{job}")), house.path(&format!("workspace/{workspace}"))];
    let refused = async || {
        for path in &paths {
            let why = detail(house.client.delete(path).await, 409);
            assert!(why.starts_with("run ") && why.contains("has not ended"), "{path}: {why}");
        }
        let away = change("workspace", &workspace, json!({"deleted": true, "name": "a_DEL_1"}));
        assert!(detail(house.client.patch(&paths[1], away).await, 409).contains("has not ended"));
    };
    refused().await;
    house.app.settle().await;
    assert_eq!(house.app.runner.steps().len(), 1);
    refused().await;
    windlass::engine::tick::prune(&house.app.app, house.app.clock.now()).await;
    house.end(0, "{}").await;
    use sea_orm::EntityTrait as _;
    let runs = entity::run::Entity::find().all(&house.app.app.db).await.unwrap();
    assert!(runs.iter().all(|run| run.state.is_final()), "{runs:?}");
    for path in &paths {
        house.client.delete(path).await.expect(204);
    }
    assert!(house.app.runner.steps().is_empty());
}

#[tokio::test]
async fn an_approval_with_scripts_and_two_servers() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: approval, step: 1, commands: [{runtime: BASH, script: echo yes}]}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    house.give(&job, "approved").await.expect(204);
    // The server is killed here; the next one continues.
    let next = house.app.restarted().await;
    next.settle().await;
    next.settle().await;
    assert_eq!(house.app.runner.started().len(), 1);
    let name = house.app.runner.steps().remove(0);
    house.app.runner.set(&name, StepState::Exited { exit_code: 0, reason: None });
    next.settle().await;
    assert_eq!(house.status(&job).await, ("completed".into(), words(&["completed"])));
}

/// A process is lost: the job fails with a reason, and the lock of the state is released.
#[tokio::test]
async fn a_lost_step_gives_its_lock_back() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: terraformApply, step: 1}\n- {type: terraformApply, step: 2}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    let started = house.app.runner.started().remove(0);
    let value = |name: &str| {
        let found = started.environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.expose().clone()).unwrap()
    };
    let address = value("TF_HTTP_ADDRESS");
    let path = address.strip_prefix("https://windlass.example").unwrap().to_owned();
    let basic = format!("Basic {}", {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!(
            "{}:{}",
            value("TF_HTTP_USERNAME"),
            value("TF_HTTP_PASSWORD")
        ))
    });
    let step = house.client.with(Some(&basic));
    let lock = json!({"ID": "l1", "Operation": "OperationTypeApply"}).to_string();
    let plain = [("content-type", "application/json")];
    let asked = async |client: &crate::harness::Client, method: &str, path: &str, body: &str| {
        client.raw_call(method, path, Some(body), &plain).await
    };
    assert_eq!(asked(&step, "LOCK", &path, &lock).await.0, 200);
    assert_eq!(asked(&step, "LOCK", &path, &lock.replace("l1", "l2")).await, (423, lock.clone()));
    let state = json!({"version": 4, "serial": 1, "lineage": "x", "outputs": {}, "resources": []}).to_string();
    assert_eq!(asked(&step, "POST", &path, &state).await.0, 423);
    assert_eq!(asked(&step, "POST", &format!("{path}?ID=l1"), &state).await.0, 200);
    assert_eq!(asked(&step, "POST", &format!("{path}?ID=l1"), "{}").await.0, 400);
    assert_eq!(asked(&step, "UNLOCK", &path, &lock.replace("l1", "l2")).await.0, 409);
    // Other workspaces are forbidden.
    let other = house.workspace("b").await;
    assert_eq!(asked(&step, "GET", &path.replace(&workspace, &other), "").await.0, 403);
    let name = house.app.runner.steps().remove(0);
    house.app.runner.set(&name, StepState::Lost);
    house.app.settle().await;
    assert_eq!(house.status(&job).await, ("failed".into(), words(&["failed", "notExecuted"])));
    assert_eq!(asked(&step, "GET", &path, "").await.0, 401);
    let token = house.client.clone();
    assert_eq!(asked(&token, "GET", &path, "").await, (200, state));
    assert_eq!(asked(&token, "LOCK", &path, &lock).await.0, 200);
    assert_eq!(asked(&token, "UNLOCK", &path, &lock).await.0, 200);
    let history = house.get(&format!("workspace/{workspace}/history")).await;
    assert_eq!(history["data"][0]["attributes"]["jobReference"], job);
    assert_eq!(history["data"].as_array().unwrap().len(), 1);
    // Stored values are encrypted.
    let rows = house.app.app.db.query_all_raw(sea_orm::Statement::from_string(
        house.app.app.db.get_database_backend(),
        "SELECT sealed FROM state_version",
    ));
    use sea_orm::ConnectionTrait as _;
    let sealed: Vec<u8> = rows.await.unwrap()[0].try_get_by_index(0).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("lineage"));
}

#[tokio::test]
async fn variables_reach_the_step() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let own = format!("workspace/{workspace}/variable");
    for (collection, kind, attributes) in [
        ("globalvar", "globalvar", json!({"key": "region", "value": "north", "category": "TERRAFORM"})),
        (
            "globalvar",
            "globalvar",
            json!({"key": "TOKEN", "value": "global-secret", "category": "ENV", "sensitive": true}),
        ),
        ("globalvar", "globalvar", json!({"key": "LEVEL", "value": "info", "category": "ENV"})),
        (own.as_str(), "variable", json!({"key": "region", "value": "south", "category": "TERRAFORM"})),
        (own.as_str(), "variable", json!({"key": "sizes", "value": "[1, 2]", "category": "TERRAFORM", "hcl": "true"})),
        (own.as_str(), "variable", json!({"key": "LEVEL", "value": "debug", "category": "ENV"})),
    ] {
        house.create(collection, kind, attributes).await;
    }
    let plan = house.template("Plan").await;
    house.start(&workspace, json!({"templateReference": plan, "targetAddrs": ["a.b"], "refresh": false})).await;
    house.app.settle().await;
    let started = house.app.runner.started().remove(0);
    let values = started.files.iter().find(|file| file.variables == ["WINDLASS_VALUES"]).unwrap();
    assert_eq!(values.content.expose(), "region = \"south\"\nsizes = [1, 2]\n");
    let value =
        |name: &str| started.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().as_str());
    assert_eq!((value("TOKEN"), value("LEVEL")), (Some("global-secret"), Some("debug")));
    assert!(started.arguments[1].contains("-refresh=false '-target=a.b'"), "{}", started.arguments[1]);
    assert!(!format!("{started:?}").contains("global-secret"));
    // The log does not contain it.
    let name = house.app.runner.steps().remove(0);
    house.app.runner.write(&name, &["using global-secret now"]);
    house.end(0, r#"{"changes":true}"#).await;
    let step = house.get("job/1/step").await["data"][0].clone();
    let log = step["attributes"]["output"].as_str().unwrap().replace("https://windlass.example", "");
    let log = house.client.get(&log).await;
    assert!(log.text.starts_with("using ") && !log.text.contains("global-secret"), "{}", log.text);
    // Named inputs replace global variables; variables of the workspace stay.
    let flow = "flow:\n- {type: terraformPlan, step: 1, inputsEnv: {CREDENTIAL: $TOKEN}, inputsTerraform: {zone: $region, none: literal}}\n";
    house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    let started = house.app.runner.started().remove(1);
    let value =
        |name: &str| started.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().as_str());
    assert_eq!((value("CREDENTIAL"), value("TOKEN"), value("LEVEL")), (Some("global-secret"), None, Some("debug")));
    let values = started.files.iter().find(|file| file.variables == ["WINDLASS_VALUES"]).unwrap();
    assert_eq!(values.content.expose(), "region = \"south\"\nsizes = [1, 2]\nzone = \"north\"\n");
}

#[tokio::test]
async fn schedules_make_jobs() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let plan = house.template("Plan").await;
    let path = format!("workspace/{workspace}/schedule");
    let bad = house
        .client
        .post(&house.path(&path), super::new("schedule", json!({"cron": "0 0 0 ? * 9", "templateReference": plan})))
        .await;
    assert!(detail(bad, 400).starts_with("cron: day of week"));
    // The clock starts at 10:00:30.
    let schedule = house.create(&path, "schedule", json!({"cron": "0 5 10 * * ?", "templateReference": plan})).await;
    house.app.tick().await;
    let jobs = async || house.get("job?sort=id").await["data"].as_array().unwrap().clone();
    assert!(jobs().await.is_empty());
    house.app.clock.forward(300);
    house.app.tick().await;
    let made = jobs().await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["attributes"]["via"], "Schedule");
    house.app.tick().await;
    assert_eq!(jobs().await.len(), 1);
    // The next day the schedule is disabled.
    let off = change("schedule", &schedule, json!({"enabled": false}));
    house.client.patch(&house.path(&format!("{path}/{schedule}")), off).await.expect(204);
    house.app.clock.forward(86_400);
    house.app.tick().await;
    assert_eq!(jobs().await.len(), 1);
}

#[tokio::test]
async fn steps_that_make_schedules_and_put_workspaces_away() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: scheduleTemplates, step: 1, templates: [{name: Destroy, schedule: '0 0 20 * * ?'}]}\n- {type: disableWorkspace, step: 2}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await, ("completed".into(), words(&["completed", "completed"])));
    assert_eq!(
        detail(house.client.get(&house.path(&format!("workspace/{workspace}"))).await, 404),
        format!("Unknown identifier {workspace} for workspace")
    );
    // The name can be used again.
    house.workspace("a").await;
    let wrong = "flow:\n- {type: scheduleTemplates, step: 1, templates: [{name: Nothing, schedule: '0 0 20 * * ?'}]}\n";
    let second = house.workspace("b").await;
    let job = house.start(&second, json!({"tcl": tcl(wrong)})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "failed");
    assert!(
        house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].as_str().unwrap().contains("Nothing")
    );
    let none: Value = json!([]);
    assert_eq!(house.get(&format!("workspace/{second}/schedule")).await["data"], none);
}
