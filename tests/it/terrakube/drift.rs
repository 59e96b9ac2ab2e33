//! Drift of workspaces: schedules that look for it, what they found, and the jobs that settle it.

use chrono::{DateTime, Utc};
use entity::workspace_job;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use super::terraform::{Site, tools};
use super::{House, change, detail, new};

/// Plans with what was changed outside of the tool.
pub(crate) fn plan(drift: &[&str]) -> Value {
    let one = |name: &&str| {
        json!({"address": format!("terraform_data.{name}"), "change": {
            "actions": ["update"], "before": {"size": 1, "key": "hidden-1"}, "after": {"size": 2, "key": "hidden-2"},
            "before_sensitive": {"key": true}, "after_sensitive": {"key": true},
        }})
    };
    let drift: Vec<Value> = drift.iter().map(one).collect();
    json!({"format_version": "1.2", "resource_changes": [], "resource_drift": drift, "output_changes": {}})
}

/// Lets the step that runs leave this plan, and end.
pub(crate) async fn leave(house: &House, plan: &Value) {
    house.app.settle().await;
    let step = house.app.runner.steps().pop().unwrap();
    house.app.runner.leave(&step, r#"{"changes": true}"#);
    house.app.runner.leave_file(&step, "plan", b"cGxhbg==");
    house.app.runner.leave_file(&step, "plan.json", plan.to_string().as_bytes());
    house.app.runner.exit_all(0);
    house.app.settle().await;
}

fn drift_path(house: &House, workspace: &str) -> String {
    format!("/tfstate/v1/organization/{}/workspace/{workspace}/drift", house.organization)
}

async fn newest_job(house: &House) -> workspace_job::Model {
    let all = workspace_job::Entity::find().all(&house.app.app.db).await.unwrap();
    all.into_iter().max_by_key(|job| job.id).unwrap()
}

/// What the newest step executes.
fn script(house: &House) -> String {
    let step = house.app.runner.started().pop().unwrap();
    let files = step.files.iter().map(|file| file.content.expose().clone());
    step.arguments.iter().cloned().chain(files).collect()
}

#[tokio::test]
async fn a_schedule_looks_for_drift_and_blocks_nothing() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let schedules = format!("workspace/{workspace}/schedule");
    let both = json!({"cron": "0 * * * * ?", "refreshOnly": true, "templateReference": house.template("Plan").await});
    let refused = detail(house.client.post(&house.path(&schedules), new("schedule", both)).await, 400);
    assert!(refused.starts_with("refreshOnly: "), "{refused}");
    // Another job waits for an approval, and the workspace goes on being looked at.
    let flow = "flow:\n- {type: approval, step: 1}\n";
    let waiting = house.start(&workspace, json!({"tcl": super::tcl(flow)})).await;
    house.app.settle().await;
    assert_eq!(house.status(&waiting).await.0, "waitingApproval");
    house.create(&schedules, "schedule", json!({"cron": "0 * * * * ?", "refreshOnly": true})).await;
    let path = drift_path(&house, &workspace);
    assert_eq!(house.client.get(&path).await.expect(200), json!({"drifted": false, "resources": []}));
    let mut since: Option<DateTime<Utc>> = None;
    for (drift, is_found) in [(&["one"][..], true), (&["one", "two"][..], true), (&[][..], false), (&["two"][..], true)]
    {
        house.app.clock.forward(60);
        house.app.tick().await;
        house.app.settle().await;
        let job = newest_job(&house).await;
        assert!(job.plan_only && job.refresh_only && job.via == "Schedule" && job.template_reference.is_none());
        let script = script(&house);
        assert!(script.contains("-refresh-only") && script.contains("-lock=false"), "{script}");
        leave(&house, &plan(drift)).await;
        assert_eq!(house.status(&job.id.to_string()).await.0, "completed");
        let found = house.client.get(&path).await.expect(200);
        assert_eq!(found["drifted"], is_found, "{found}");
        if !is_found {
            since = None;
            continue;
        }
        assert_eq!((&found["jobId"], &found["count"]), (&json!(job.id), &json!(drift.len())));
        let text = found.to_string();
        assert!(!text.contains("hidden"), "{text}");
        let first = &found["resources"][0];
        assert_eq!(
            (&first["address"], &first["action"]),
            (&json!(format!("terraform_data.{}", drift[0])), &json!("changed"))
        );
        let size = first["attributes"].as_array().unwrap().iter().find(|one| one["path"] == "size").unwrap();
        assert_eq!(size["after"], json!({"kind": "known", "value": "2"}));
        let since_now: DateTime<Utc> = found["since"].as_str().unwrap().parse().unwrap();
        assert_eq!(since_now, *since.get_or_insert(since_now), "since when does not move");
        assert!(found["checkedAt"].as_str().unwrap() >= found["since"].as_str().unwrap());
    }
    assert_eq!(house.status(&waiting).await.0, "waitingApproval");
}

#[tokio::test]
async fn drift_is_accepted_or_reverted_by_one_job() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = drift_path(&house, &workspace);
    let refused = detail(house.client.post(&format!("{path}/accept"), json!({})).await, 409);
    assert!(refused.contains("no drift is known"), "{refused}");
    for (word, is_refresh_only) in [("accept", true), ("revert", false)] {
        house.app.clock.forward(60);
        house.start(&workspace, json!({"command": "plan", "refreshOnly": true})).await;
        leave(&house, &plan(&["one"])).await;
        let started = house.client.post(&format!("{path}/{word}"), json!({})).await.expect(201);
        let job = newest_job(&house).await;
        assert_eq!(started, json!({"jobId": job.id}));
        assert_eq!((job.refresh_only, job.plan_only), (is_refresh_only, false));
        house.app.settle().await;
        let script = script(&house);
        assert_eq!(script.contains("-refresh-only"), is_refresh_only, "{script}");
        leave(&house, &plan(&["one"])).await;
        assert_eq!(house.client.get(&path).await.expect(200)["drifted"], true, "it is not settled before the apply");
        house.app.runner.exit_all(0);
        house.app.settle().await;
        assert_eq!(house.status(&job.id.to_string()).await.0, "completed");
        // The state after a revert is the one that is stored, so that the tool stores none.
        assert_eq!(house.client.get(&path).await.expect(200), json!({"drifted": false, "resources": []}));
        let again = detail(house.client.post(&format!("{path}/{word}"), json!({})).await, 409);
        assert!(again.contains("no drift is known"), "{again}");
    }
}

/// An apply of all resources settles drift if it succeeds, and so does a new state.
#[tokio::test]
async fn nothing_else_settles_drift() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = drift_path(&house, &workspace);
    let found = async || house.client.get(&path).await.expect(200);
    house.start(&workspace, json!({"command": "plan", "refreshOnly": true})).await;
    leave(&house, &plan(&["one"])).await;
    for (mut attributes, exit_code, is_left) in [
        (json!({"targetAddrs": ["terraform_data.two"]}), 0, true),
        (json!({"refresh": false}), 0, true),
        (json!({}), 1, true),
        (json!({}), 0, false),
    ] {
        attributes["tcl"] = json!(super::tcl("flow:\n- {type: terraformApply, step: 1}\n"));
        house.app.clock.forward(60);
        let job = house.start(&workspace, attributes.clone()).await;
        house.app.settle().await;
        house.end(exit_code, "").await;
        assert_eq!(house.status(&job).await.0, if exit_code == 0 { "completed" } else { "failed" });
        assert_eq!(found().await["drifted"], is_left, "{attributes} {exit_code}");
    }
    // What is found afterwards is new.
    house.app.clock.forward(60);
    house.start(&workspace, json!({"command": "plan", "refreshOnly": true})).await;
    leave(&house, &plan(&["one"])).await;
    let again = found().await;
    assert_eq!((&again["drifted"], &again["since"]), (&json!(true), &again["checkedAt"]));
    house.app.clock.forward(1);
    let backend = path.replace("/drift", "/backend");
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [], "outputs": {}}).to_string();
    assert_eq!(house.client.raw_call("POST", &backend, Some(&state), &[]).await.0, 200);
    assert_eq!(found().await["drifted"], false);
}

/// Nobody settles drift who may not apply, and a schedule acts with the rights of whoever made it.
#[tokio::test]
async fn settling_takes_the_right_to_apply() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let planner = json!({"name": "PLANNERS", "planJob": true, "manageWorkspace": true});
    house.create("team", "team", planner).await;
    let planner = house.of_groups(&["PLANNERS"]).await;
    house.start(&workspace, json!({"command": "plan", "refreshOnly": true})).await;
    leave(&house, &plan(&["one"])).await;
    let path = drift_path(&house, &workspace);
    assert_eq!(planner.get(&path).await.expect(200)["drifted"], true);
    for word in ["accept", "revert"] {
        assert_eq!(planner.post(&format!("{path}/{word}"), json!({})).await.status, 403, "{word}");
    }
    // A schedule that looks needs no right to manage templates.
    let schedules = house.path(&format!("workspace/{workspace}/schedule"));
    planner.post(&schedules, new("schedule", json!({"cron": "0 * * * * ?", "refreshOnly": true}))).await.expect(201);
}

/// The tool itself: a refresh-only plan finds nothing, and takes no lock.
#[tokio::test]
async fn the_tools_look_for_drift() {
    for (folder, tool) in tools() {
        let site = Site::with(folder, tool, &["--runner", "process"]).await;
        let workspace = site.workspace(&[("who", "me", false)]).await;
        let job = site.job(&workspace, super::terraform::APPLY).await;
        site.until(&job, &["completed"]).await;
        let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", site.organization);
        let lock = json!({"ID": "7", "Who": "somebody"});
        assert_eq!(site.send("LOCK", &path, Some(lock.clone())).await.0, 200);
        let job = site.job_with(&workspace, json!({"command": "plan", "refreshOnly": true})).await;
        let found = site.until(&job, &["completed"]).await["data"].clone();
        assert_eq!(found["attributes"]["planChanges"], false, "{found}");
        assert_eq!(found["attributes"]["refreshOnly"], true);
        let _unlocked = site.send("UNLOCK", &path, Some(lock)).await;
    }
}

#[tokio::test]
async fn a_protected_workspace_is_not_destroyed() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = house.path(&format!("workspace/{workspace}"));
    let set = async |attributes: Value| house.client.patch(&path, change("workspace", &workspace, attributes)).await;
    let destroying = "flow:\n- {type: terraformPlanDestroy, step: 1}\n- {type: approval, step: 2}\n- {type: terraformApply, step: 3}\n";
    let waiting = house.start(&workspace, json!({"tcl": super::tcl(destroying)})).await;
    leave(&house, &plan(&[])).await;
    assert_eq!(house.status(&waiting).await.0, "waitingApproval");
    set(json!({"destroyProtection": true})).await.expect(204);
    assert_eq!(house.get(&format!("workspace/{workspace}")).await["data"]["attributes"]["destroyProtection"], true);
    // What waits for its approval does not go on.
    house.give(&waiting, "approved").await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&waiting).await.0, "cancelled");
    let output = house.get(&format!("job/{waiting}")).await["data"]["attributes"]["output"].clone();
    assert!(output.as_str().unwrap().contains("destroyProtection"), "{output}");
    for attributes in [json!({"command": "destroy"}), json!({"tcl": super::tcl(destroying)})] {
        let refused = detail(house.ask(&house.client, &workspace, attributes).await, 409);
        assert!(refused.contains("set destroyProtection to false"), "{refused}");
    }
    // A plan that destroys is only looked at.
    house.start(&workspace, json!({"tcl": super::tcl("flow:\n- {type: terraformPlanDestroy, step: 1}\n")})).await;
    leave(&house, &plan(&[])).await;
    let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [], "outputs": {"a": {"value": 1, "type": "number"}}});
    assert_eq!(house.client.raw_call("POST", &backend, Some(&state.to_string()), &[]).await.0, 200);
    assert_eq!(house.client.raw_call("DELETE", &backend, None, &[]).await.0, 409);
    let version =
        house.get(&format!("workspace/{workspace}/history")).await["data"][0]["id"].as_str().unwrap().to_owned();
    detail(house.client.delete(&house.path(&format!("workspace/{workspace}/history/{version}"))).await, 409);
    for refused in [house.client.delete(&path).await, set(json!({"deleted": true})).await] {
        assert!(detail(refused, 409).contains("destroyProtection"));
    }
    set(json!({"destroyProtection": false})).await.expect(204);
    house.start(&workspace, json!({"command": "destroy"})).await;
}
