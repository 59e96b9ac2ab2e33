//! Plans of workspace jobs, as the pages show them.

use std::path::PathBuf;

use entity::member::Role;
use entity::{shown_plan, workspace_job};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::browser::Browser;
use crate::runner::needed;
use crate::terrakube::House;
use crate::terrakube::terraform::{ASK, Site};

/// A plan that replaces, forgets, imports and moves resources, and that found two of them changed.
fn plan() -> Value {
    let resource = |name: &str, change: Value| json!({"address": format!("terraform_data.{name}"), "change": change});
    let mut replaced = resource(
        "replaced",
        json!({
            "actions": ["delete", "create"], "before": {"id": "1", "password": "hidden-mark", "copy": "x hidden-mark"},
            "after": {"password": "hidden-new", "copy": "x hidden-new", "input": "from-the-workspace <b>"}, "after_unknown": {"id": true},
            "before_sensitive": {"password": true}, "after_sensitive": {"password": true}, "replace_paths": [["input"]],
        }),
    );
    replaced["action_reason"] = json!("replace_because_cannot_update");
    let mut moved = resource("new", json!({"actions": ["no-op"], "before": {}, "after": {}}));
    moved["previous_address"] = json!("terraform_data.old");
    let imported = json!({"actions": ["no-op"], "before": {}, "after": {}, "importing": {"id": "i-1"}});
    let drifted = |name: &str| resource(name, json!({"actions": ["update"], "before": {"a": 1}, "after": {"a": 2}}));
    json!({
        "format_version": "1.2", "planned_values": {"x": "hidden-values"}, "prior_state": {"x": "hidden-state"},
        "resource_changes": [
            replaced, moved, resource("imported", imported),
            resource("forgotten", json!({"actions": ["forget"], "before": {"a": 1}, "after": null})),
        ],
        "resource_drift": [drifted("one"), drifted("two")],
        "output_changes": {
            "key": {"actions": ["create"], "before": null, "after": "hidden-output", "after_sensitive": true, "before_sensitive": false},
            "size": {"actions": ["update"], "before": 1, "after": 2, "before_sensitive": false, "after_sensitive": false},
        },
    })
}

struct Scene {
    house: House,
    me: Browser,
    workspace: String,
    page: String,
}

impl Scene {
    async fn new() -> Self {
        let house = House::new().await;
        let me = Browser::new(&house.app, house.organization, Role::Admin).await;
        let workspace = house.workspace("network").await;
        let secret = json!({"key": "who", "value": "from-the-workspace", "category": "TERRAFORM", "sensitive": true});
        house.create(&format!("workspace/{workspace}/variable"), "variable", secret).await;
        let page = format!("/console/workspace/{workspace}");
        Self { house, me, workspace, page }
    }

    /// The page of a job that left this JSON form of its plan.
    async fn planned(&self, left: &str) -> String {
        self.planned_with(json!({}), left).await
    }

    async fn planned_with(&self, mut attributes: Value, left: &str) -> String {
        self.house.app.clock.forward(1);
        attributes["templateReference"] = json!(self.house.template("Plan").await);
        let job = self.house.start(&self.workspace, attributes).await;
        let runner = &self.house.app.runner;
        self.house.app.settle().await;
        let step = runner.steps().pop().unwrap();
        runner.write(
            &step,
            &["OpenTofu will perform the following actions:", "Plan: 9 to add, 9 to change, 9 to destroy."],
        );
        runner.leave(&step, r#"{"changes": true}"#);
        runner.leave_file(&step, "plan.json", left.as_bytes());
        runner.exit_all(0);
        self.house.app.settle().await;
        assert_eq!(self.house.status(&job).await.0, "completed");
        self.me.get(&format!("/console/workspace-job/{job}")).await.expect(200)
    }
}

#[tokio::test]
async fn a_plan_says_what_changes_and_why() {
    let scene = Scene::new().await;
    let shown = scene.planned(&plan().to_string()).await;
    for text in [
        "1 to add, 0 to change, 1 to destroy, 1 replaced, 1 to import, 1 to forget, 1 moved.",
        "<code>terraform_data.replaced</code>",
        "Reason: an attribute cannot be changed in place.",
        "forces replacement",
        "known after apply",
        "Moved from <code>terraform_data.old</code>.",
        "taken into the state",
        "2 resources were changed outside of the tool",
        "<code>size</code>",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("9 to add, 9 to change, 9 to destroy.</strong>"), "{shown}");
    for secret in ["hidden-", "from-the-workspace"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    let db = &scene.house.app.app.db;
    let row = shown_plan::Entity::find().one(db).await.unwrap().unwrap();
    assert_eq!(row.drift, 2);
    assert!(
        !String::from_utf8_lossy(row.sealed.as_ref().unwrap()).contains("terraform_data"),
        "the plan is not sealed"
    );
    workspace_job::Entity::delete_many().exec(db).await.unwrap();
    assert_eq!(shown_plan::Entity::find().count(db).await.unwrap(), 0, "a plan goes with its job");
}

#[tokio::test]
async fn plans_that_cannot_be_shown() {
    let scene = Scene::new().await;
    assert!(scene.planned("").await.contains("The plan is too large to show here."));
    let log = scene.planned("{\"some\": \"thing\"}").await;
    assert!(log.contains("<strong>9 to add, 9 to change, 9 to destroy.</strong>"), "{log}");
}

#[tokio::test]
async fn drift_is_shown_until_it_is_settled() {
    let scene = Scene::new().await;
    let Scene { house, me, workspace, page } = &scene;
    assert!(!me.get(page).await.expect(200).contains("changed outside"));
    scene.planned(&plan().to_string()).await;
    let shown = me.get(page).await.expect(200);
    for text in ["2 resources were changed outside of the tool", "<code>terraform_data.one</code>", "found"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // A plan that does not look at all resources says nothing about them.
    scene.planned_with(json!({"refresh": false}), "{\"format_version\": \"1.2\"}").await;
    scene.planned_with(json!({"targetAddrs": ["terraform_data.a"]}), "{\"format_version\": \"1.2\"}").await;
    scene.planned("").await;
    assert!(me.get(page).await.expect(200).contains("changed outside"));
    // A plan without drift settles it, and so does a state.
    scene.planned("{\"format_version\": \"1.2\"}").await;
    assert!(!me.get(page).await.expect(200).contains("changed outside"));
    scene.planned(&plan().to_string()).await;
    assert!(me.get(page).await.expect(200).contains("changed outside"));
    house.app.clock.forward(60);
    let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [], "outputs": {}}).to_string();
    house.client.whole("POST", &backend, Some(&state), &[]).await;
    assert!(!me.get(page).await.expect(200).contains("changed outside"));
}

#[tokio::test]
async fn a_plan_of_opentofu() {
    let Some(tools) = needed("WINDLASS_TEST_TOOLS") else { return };
    let site = Site::with(Some(PathBuf::from(tools)), "tofu", &["--runner", "process"]).await;
    // The module does not say that this variable is sensitive; the workspace does.
    let workspace = site.workspace(&[("who", "not-for-pages", false)]).await;
    let job = site.job(&workspace, ASK).await;
    site.until(&job, &["waitingApproval"]).await;
    let page = site.page(&format!("/console/workspace-job/{job}")).await;
    for text in
        ["1 to add, 0 to change, 0 to destroy.", "<code>terraform_data.first</code>", "known after apply", "sensitive"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(page.contains("data-label=\"After\"") && !page.contains("not-for-pages"), "{page}");
}
