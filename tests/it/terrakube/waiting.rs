//! Workspace jobs beside each other: those that only plan, and those whose approval is awaited for long, or too late.

use serde_json::{Value, json};

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
