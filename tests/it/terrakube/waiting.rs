//! Workspace jobs beside each other: those that only plan, those whose approval is awaited for long, or too late, those of schedules, and
//! those of workspaces that are hidden.

use entity::{workspace, workspace_job};
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use windlass::runner::StepState;

use super::{House, change, detail, tcl};

const PLAN_AND_ASK: &str =
    "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";

impl House {
    /// A job that waits for its approval.
    async fn waiting(&self, workspace: &str) -> String {
        let job = self.start(workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
        self.app.settle().await;
        self.end(0, r#"{"changes":true}"#).await;
        assert_eq!(self.status(&job).await.0, "waitingApproval");
        job
    }

    async fn said(&self, job: &str) -> Value {
        self.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone()
    }

    /// Stores a state as somebody on their own machine does.
    async fn push_state(&self, workspace: &str, serial: u32) {
        let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", self.organization);
        let state = json!({"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": []});
        self.client.post(&path, state).await.expect(200);
    }
}

#[tokio::test]
async fn a_plan_waits_for_no_other_job_and_no_other_job_for_it() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let waiting = house.waiting(&workspace).await;
    let plan = json!({"templateReference": house.template("Plan").await});
    let (first, second) = (house.start(&workspace, plan.clone()).await, house.start(&workspace, plan.clone()).await);
    let apply = house.start(&workspace, json!({"templateReference": house.template("Plan and apply").await})).await;
    house.app.settle().await;
    for (job, expected) in [(&first, "running"), (&second, "running"), (&apply, "pending")] {
        assert_eq!(house.status(job).await.0, expected, "job {job}");
    }
    let texts: Vec<String> = house.app.runner.started().iter().map(|step| step.arguments[1].clone()).collect();
    let unlocked = texts.iter().filter(|text| text.contains(" plan -input=false -no-color -lock=false")).count();
    assert_eq!((unlocked, texts.len()), (2, 3), "only plans that are not applied take no lock");
    // Plans that are still being made keep nothing waiting.
    house.give(&waiting, "rejected").await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&apply).await.0, "running");
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(house.status(&first).await, ("completed".into(), vec!["completed".to_owned()]));
    // A locked workspace starts nothing.
    let lock = change("workspace", &workspace, json!({"locked": true}));
    house.client.patch(&house.path(&format!("workspace/{workspace}")), lock).await.expect(204);
    let held = house.start(&workspace, plan).await;
    house.app.settle().await;
    assert_eq!(house.status(&held).await.0, "pending");
}

/// A flow with scripts may change anything, so it is no plan.
#[tokio::test]
async fn a_plan_with_a_script_waits_like_all_others() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    house.waiting(&workspace).await;
    let flow = "flow:\n- {type: terraformPlan, step: 1, commands: [{runtime: BASH, script: terraform import a b, before: true}]}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "pending");
}

#[tokio::test]
async fn a_plan_is_stale_when_the_state_has_changed() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    house.push_state(&workspace, 1).await;
    let job = house.waiting(&workspace).await;
    house.app.settle().await;
    assert_eq!(house.said(&job).await, Value::Null);
    house.push_state(&workspace, 2).await;
    house.app.settle().await;
    let stale = "the plan is stale: the state was changed (serial 2) after the plan was made; start a new job";
    assert_eq!(house.said(&job).await, stale);
    assert_eq!(detail(house.give(&job, "approved").await, 409), stale);
    house.give(&job, "rejected").await.expect(204);
}

/// What was changed would not count: a plan is applied with the variables that it was made with.
#[tokio::test]
async fn a_plan_is_stale_when_its_variables_have_changed() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let list = format!("workspace/{workspace}/variable");
    let of = |key: &str, value: &str| json!({"key": key, "value": value, "category": "TERRAFORM"});
    let size = house.create(&list, "variable", of("size", "1")).await;
    let job = house.waiting(&workspace).await;
    // The variable of the workspace takes precedence.
    house.create("globalvar", "globalvar", of("size", "9")).await;
    house.app.settle().await;
    assert_eq!(house.said(&job).await, Value::Null);
    let path = house.path(&format!("{list}/{size}"));
    let set = async |value: &str| {
        house.client.patch(&path, change("variable", &size, json!({"value": value}))).await.expect(204);
        house.app.settle().await;
    };
    set("2").await;
    let stale = "the plan is stale: variables were changed after the plan was made; start a new job";
    assert_eq!(house.said(&job).await, stale);
    assert_eq!(detail(house.give(&job, "approved").await, 409), stale);
    set("1").await;
    assert_eq!(house.said(&job).await, Value::Null);
    for (collection, kind) in [(list.as_str(), "variable"), ("globalvar", "globalvar")] {
        let token = json!({"key": "TOKEN", "value": "long-secret", "category": "ENV", "sensitive": true});
        let more = house.create(collection, kind, token).await;
        assert_eq!(detail(house.give(&job, "approved").await, 409), stale, "{kind}");
        house.client.delete(&house.path(&format!("{collection}/{more}"))).await.expect(204);
    }
    house.give(&job, "approved").await.expect(204);
    assert_eq!(house.said(&job).await, Value::Null);
}

/// A step that lists its inputs gets no others of the organization's variables.
#[tokio::test]
async fn a_plan_is_not_stale_because_of_what_its_steps_do_not_get() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let inputs = "inputsEnv: {}, inputsTerraform: {region: $area}";
    let flow = format!(
        "flow:\n- {{type: terraformPlan, step: 100, {inputs}}}\n- {{type: approval, step: 150}}\n- {{type: terraformApply, step: 200, {inputs}}}\n"
    );
    let job = house.start(&workspace, json!({"tcl": tcl(&flow)})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    for (key, expected) in [("other", 204), ("area", 409)] {
        house.create("globalvar", "globalvar", json!({"key": key, "value": "x", "category": "TERRAFORM"})).await;
        house.app.settle().await;
        let is_stale = house.said(&job).await != Value::Null;
        assert_eq!(is_stale, expected == 409, "{key}");
    }
    detail(house.give(&job, "approved").await, 409);
}

/// Only a plan that is made and not applied yet can be stale.
#[tokio::test]
async fn an_approval_before_the_plan_or_after_its_apply_can_be_given() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    house.push_state(&workspace, 1).await;
    let before =
        "flow:\n- {type: approval, step: 1}\n- {type: terraformPlan, step: 2}\n- {type: terraformApply, step: 3}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(before)})).await;
    house.app.settle().await;
    assert_eq!((house.status(&job).await.0, house.said(&job).await), ("waitingApproval".into(), Value::Null));
    house.give(&job, "approved").await.expect(204);
    house.give(&job, "cancelled").await.expect(204);
    house.app.settle().await;
    let after =
        "flow:\n- {type: terraformPlan, step: 1}\n- {type: terraformApply, step: 2}\n- {type: approval, step: 3}\n";
    let job = house.start(&workspace, json!({"tcl": tcl(after)})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    house.push_state(&workspace, 2).await;
    house.end(0, "").await;
    assert_eq!((house.status(&job).await.0, house.said(&job).await), ("waitingApproval".into(), Value::Null));
    house.give(&job, "approved").await.expect(204);
}

#[tokio::test]
async fn an_approval_that_is_not_given_ends_its_job() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let job = house.waiting(&workspace).await;
    let next = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    house.app.clock.forward(7 * 86_400 - 60);
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "waitingApproval");
    house.app.clock.forward(120);
    house.app.settle().await;
    let steps = ["completed", "cancelled", "cancelled"].map(str::to_owned).to_vec();
    assert_eq!(house.status(&job).await, ("cancelled".into(), steps));
    assert_eq!(house.said(&job).await, "cancelled: the approval was not given within 7 days; start a new job");
    assert_eq!(house.status(&next).await.0, "running");
}

const HIDDEN: &str = "cancelled: the workspace was disabled or deleted";

/// What waits behind a job that hides its workspace would change what nobody sees, and make again what was just destroyed.
#[tokio::test]
async fn a_job_that_hides_its_workspace_cancels_the_others() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo bye}]}\n- {type: disableWorkspace, step: 2}\n";
    let hides = house.start(&workspace, json!({"tcl": tcl(flow)})).await;
    house.app.settle().await;
    let first = house.app.runner.started()[0].name.clone();
    let behind = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    let beside = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    house.app.settle().await;
    assert_eq!((house.status(&behind).await.0, house.status(&beside).await.0), ("pending".into(), "running".into()));
    house.app.runner.set(&first, StepState::Exited { exit_code: 0, reason: None });
    house.app.settle().await;
    assert_eq!(house.status(&hides).await.0, "completed");
    assert_eq!(house.status(&behind).await, ("cancelled".into(), vec!["cancelled".to_owned(); 3]));
    assert_eq!(house.said(&behind).await, HIDDEN);
    house.app.settle().await;
    assert_eq!(house.status(&beside).await, ("cancelled".into(), vec!["cancelled".to_owned()]));
    assert_eq!(house.said(&beside).await, HIDDEN);
    assert_eq!(house.app.runner.started().len(), 2, "nothing of the one behind is executed");
    assert!(!house.app.runner.stopped().is_empty());
}

/// A job may be asked for while its workspace is being hidden. Neither an older job nor a lock keeps it open.
#[tokio::test]
async fn no_job_of_a_hidden_workspace_goes_on() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let waiting = house.waiting(&workspace).await;
    let behind = house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    let plan = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    let hide = workspace::Entity::update_many()
        .col_expr(workspace::Column::Deleted, Expr::value(true))
        .col_expr(workspace::Column::Locked, Expr::value(true));
    hide.exec(&house.app.app.db).await.unwrap();
    house.app.settle().await;
    for (job, steps) in [
        (&waiting, &["completed", "cancelled", "cancelled"][..]),
        (&behind, &["cancelled"; 3]),
        (&plan, &["cancelled"]),
    ] {
        let steps = steps.iter().map(|status| (*status).to_owned()).collect();
        assert_eq!(house.status(job).await, ("cancelled".into(), steps), "job {job}");
        assert_eq!(house.said(job).await, HIDDEN);
    }
    assert_eq!(house.app.runner.started().len(), 1, "only what was planned before");
}

/// A step that is being executed while its workspace is hidden stores what it has done.
#[tokio::test]
async fn a_step_of_a_hidden_workspace_stores_its_state() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    house.start(&workspace, json!({"tcl": tcl("flow:\n- {type: terraformApply, step: 1}\n")})).await;
    house.app.settle().await;
    let hide = workspace::Entity::update_many().col_expr(workspace::Column::Deleted, Expr::value(true));
    hide.exec(&house.app.app.db).await.unwrap();
    let step = house.app.runner.started().remove(0);
    let value = |name: &str| {
        let (_, value) = step.environment.iter().find(|(key, _)| key == name).unwrap();
        value.expose().clone()
    };
    let login = format!("{}:{}", value("TF_HTTP_USERNAME"), value("TF_HTTP_PASSWORD"));
    let login = format!("Basic {}", tcl(&login));
    let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": []});
    house.client.with(Some(&login)).post(&path, state.clone()).await.expect(200);
    assert_eq!(house.client.post(&path, state).await.status, 403, "nobody else reaches it");
}

/// A schedule must not pile up jobs that do the same while the first one waits.
#[tokio::test]
async fn a_schedule_adds_nothing_while_its_job_has_not_begun() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = format!("workspace/{workspace}/schedule");
    let ask_first = tcl("flow:\n- {type: approval, step: 1}\n- {type: terraformApply, step: 2}\n");
    house.create(&path, "schedule", json!({"cron": "0 * * * * ?", "tcl": tcl(PLAN_AND_ASK)})).await;
    let minutes = async |minutes: usize| {
        for _ in 0..minutes {
            house.app.clock.forward(60);
            house.app.tick().await;
            house.app.settle().await;
        }
        let jobs = workspace_job::Entity::find().all(&house.app.app.db).await.unwrap();
        let mut ids: Vec<i32> = jobs.iter().map(|job| job.id).collect();
        ids.sort_unstable();
        ids
    };
    // The first one is being executed, so that a second one waits for it; there is no third one.
    assert_eq!(minutes(4).await, [1, 2]);
    house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(minutes(3).await, [1, 2]);
    assert_eq!((house.status("1").await.0, house.status("2").await.0), ("waitingApproval".into(), "pending".into()));
    // Another schedule does something else, and people may ask for the same.
    house.create(&path, "schedule", json!({"cron": "0 * * * * ?", "tcl": ask_first})).await;
    house.start(&workspace, json!({"tcl": tcl(PLAN_AND_ASK)})).await;
    assert_eq!(minutes(3).await, [1, 2, 3, 4]);
    // Once it has begun, the next time counts again.
    house.give("1", "rejected").await.expect(204);
    assert_eq!(minutes(2).await, [1, 2, 3, 4, 5]);
    // A job whose approval is the first step has not begun, either.
    for job in ["2", "3", "5"] {
        house.give(job, "cancelled").await.expect(204);
    }
    house.app.settle().await;
    assert_eq!(house.status("4").await.0, "waitingApproval");
    assert_eq!(minutes(2).await, [1, 2, 3, 4, 5, 6]);
}
