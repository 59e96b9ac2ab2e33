//! The pages of workspace jobs: what is chosen beforehand and what asks first, what changes while a page is open, and what a job waits for.

use entity::member::Role;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::json;

use super::browser::Browser;
use crate::harness::TestApp;
use crate::terrakube::{House, change, tcl};

const REVIEWED: &str =
    "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";

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
        let page = format!("/console/workspace/{workspace}");
        Self { house, me, workspace, page }
    }

    /// The page of a new job with this template.
    async fn job(&self, template: &str) -> String {
        let form = format!("{}/jobs/new", self.page);
        let to = self.me.submit(&form, &form, &[("templateReference", template)]).await.leads();
        to.split('?').next().unwrap().to_owned()
    }

    async fn reviewed(&self) -> String {
        self.house.create("template", "template", json!({"name": "reviewed", "tcl": tcl(REVIEWED)})).await
    }

    async fn shown(&self, path: &str) -> String {
        self.me.get(path).await.expect(200)
    }

    /// Ends the plans of the jobs that run, with changes.
    async fn planned(&self) {
        let app = &self.house.app;
        app.settle().await;
        for step in app.runner.steps() {
            app.runner.leave(&step, r#"{"changes": true}"#);
        }
        app.runner.exit_all(0);
        app.settle().await;
    }
}

/// The part of an open page, once it contains a text.
async fn until(events: &mut BoxStream<'static, String>, part: &str, text: &str) -> String {
    for _ in 0..10 {
        let next = events.next().await.unwrap();
        let of_part = |line: &&str| line.contains(&format!("\"id\":\"{part}\"")) && line.contains(text);
        if let Some(line) = next.lines().find(of_part) {
            return line.to_owned();
        }
    }
    panic!("{part} never contains {text}");
}

#[tokio::test]
async fn nothing_that_destroys_is_chosen_beforehand() {
    let scene = Scene::new().await;
    let Scene { house, workspace, page, .. } = &scene;
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": [
        {"mode": "managed", "type": "terraform_data", "name": "one",
         "provider": "provider[\"terraform.io/builtin/terraform\"]", "instances": [{"schema_version": 0, "attributes": {}}]}]});
    let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let (status, _, text) = house.client.whole("POST", &backend, Some(&state.to_string()), &[]).await;
    assert_eq!(status, 200, "{text}");
    let (plan, apply, destroy) =
        (house.template("Plan").await, house.template("Plan and apply").await, house.template("Destroy").await);
    let form = format!("{page}/jobs/new");
    let question = "Destroy all that network manages? Its state lists 1 resource. This cannot be undone.";
    for (default, chosen) in [(None, &plan), (Some(&destroy), &plan), (Some(&apply), &apply)] {
        if let Some(default) = default {
            let attributes = change("workspace", workspace, json!({"defaultTemplate": default}));
            house.client.patch(&house.path(&format!("workspace/{workspace}")), attributes).await.expect(204);
        }
        let shown = scene.shown(&form).await;
        assert!(shown.contains(&format!("<option value=\"{chosen}\" selected>")), "{default:?}: {shown}");
        assert!(shown.contains(&format!("<option value=\"{destroy}\" data-confirm=\"{question}\">")), "{shown}");
        assert_eq!(shown.matches("data-confirm").count(), 2, "Destroy, and the one with an approval: {shown}");
    }
    let job = scene.job(&destroy).await;
    let shown = scene.shown(&job).await;
    assert!(
        shown.contains("<dt>Destroys</dt><dd>all that network manages. Its state lists 1 resource.</dd>"),
        "{shown}"
    );
    house.app.settle().await;
    let step = house.app.runner.steps().pop().unwrap();
    let lines = [
        "OpenTofu will perform the following actions:",
        "  # terraform_data.one will be destroyed",
        "  - resource \"terraform_data\" \"one\" {",
        "    }",
        "Plan: 0 to add, 0 to change, 1 to destroy.",
        "terraform_data.one: Destroying... [id=1]",
    ];
    house.app.runner.write(&step, &lines);
    house.app.settle().await;
    let shown = scene.shown(&job).await;
    assert!(shown.contains("<strong>0 to add, 0 to change, 1 to destroy.</strong>"), "{shown}");
    let (plan, _) = shown.split_once("<details id=\"log-").unwrap();
    assert!(plan.contains("terraform_data.one will be destroyed") && !plan.contains("Destroying..."), "{plan}");
    // One that only plans destroys nothing.
    assert!(!scene.shown(&scene.job(&scene.house.template("Plan").await).await).await.contains("Destroys"));
}

#[tokio::test]
async fn the_approval_is_part_of_the_open_page() {
    let scene = Scene::new().await;
    let job = scene.job(&scene.reviewed().await).await;
    let mut events = scene.me.events(&format!("{job}/live")).await;
    let first = until(&mut events, "job-review", "review/cancel").await;
    assert!(!first.contains("review/approve"), "{first}");
    scene.planned().await;
    let asks = until(&mut events, "job-review", "review/approve").await;
    assert!(asks.contains("Waits for an approval") && asks.contains("review/reject"), "{asks}");
    let number = job.rsplit('/').next().unwrap();
    scene.house.give(number, "rejected").await.expect(204);
    until(&mut events, "job-state", "Rejected").await;
    // Whoever opens the page now sees no button either.
    assert!(!scene.shown(&job).await.contains("/review/"));
    let mut again = scene.me.events(&format!("{job}/live")).await;
    let review = until(&mut again, "job-review", "div").await;
    assert!(!review.contains("/review/"), "{review}");
}

#[tokio::test]
async fn what_destroys_asks_before_it_is_approved() {
    let scene = Scene::new().await;
    let job = scene.job(&scene.house.template("Terraform-Plan/Destroy-Cli").await).await;
    scene.planned().await;
    let shown = scene.shown(&job).await;
    assert!(shown.contains("data-confirm=\"Destroy all that network manages? This cannot be undone.\""), "{shown}");
}

#[tokio::test]
async fn a_stale_plan_is_made_again() {
    let scene = Scene::new().await;
    let Scene { house, me, workspace, page } = &scene;
    let form = format!("{page}/jobs/new");
    let template = scene.reviewed().await;
    let fields = [("templateReference", template.as_str()), ("targets", "a.b"), ("comments", "larger disks")];
    let job = me.submit(&form, &form, &fields).await.leads().split('?').next().unwrap().to_owned();
    scene.planned().await;
    assert!(!scene.shown(&job).await.contains("plan-again"));
    let again = format!("{job}/plan-again");
    me.post(&again, &me.csrf().await, &[]).await.expect(409);
    let mut events = me.events(&format!("{job}/live")).await;
    until(&mut events, "job-review", "review/approve").await;
    let variable = json!({"key": "size", "value": "2", "category": "TERRAFORM"});
    house.create(&format!("workspace/{workspace}/variable"), "variable", variable).await;
    house.app.settle().await;
    let review = until(&mut events, "job-review", "plan-again").await;
    assert!(review.contains("variables were changed") && !review.contains("review/approve"), "{review}");
    assert!(review.contains("review/reject"), "{review}");
    let viewer = Browser::new(&house.app, house.organization, Role::Viewer).await;
    assert!(!viewer.get(&job).await.expect(200).contains("plan-again"));
    viewer.post(&again, &viewer.csrf().await, &[]).await.expect(403);
    let new = me.submit(&job, &again, &[]).await.leads().split('?').next().unwrap().to_owned();
    let number = |job: &str| job.rsplit('/').next().unwrap().to_owned();
    let (old, new) = (number(&job), number(&new));
    assert_ne!(old, new);
    let ended = house.get(&format!("job/{old}")).await["data"]["attributes"].clone();
    let said = format!("cancelled: the plan was stale, and job {new} plans again");
    assert_eq!((&ended["status"], &ended["output"]), (&json!("cancelled"), &json!(said)));
    let asked = house.get(&format!("job/{new}")).await["data"]["attributes"].clone();
    assert_eq!((&asked["templateReference"], &asked["comments"]), (&json!(template), &json!("larger disks")));
    house.app.settle().await;
    let step = house.app.runner.started().pop().unwrap();
    assert!(step.arguments[1].contains("'-target=a.b'"), "{}", step.arguments[1]);
    scene.planned().await;
    house.give(&new, "approved").await.expect(204);
}

#[tokio::test]
async fn a_job_says_what_it_waits_for() {
    let scene = Scene::new().await;
    let Scene { house, me, page, .. } = &scene;
    let (plan, reviewed) = (house.template("Plan").await, scene.reviewed().await);
    me.submit(page, &format!("{page}/lock"), &[("reason", "a <move>")]).await.leads();
    assert!(scene.shown(&format!("{page}/jobs/new")).await.contains("so that no new job starts: a &lt;move&gt;"));
    let first = scene.job(&reviewed).await;
    house.app.settle().await;
    let shown = scene.shown(&first).await;
    assert!(shown.contains("<dt>Waits</dt><dd>the workspace is locked: a &lt;move&gt; (last changed by "), "{shown}");
    assert!(shown.contains("<dt>Created</dt>") && !shown.contains("<dt>Started</dt>"), "{shown}");
    assert!(
        scene.shown(&scene.job(&plan).await).await.contains("the workspace is locked"),
        "a plan waits for the lock"
    );
    let mut events = me.events(&format!("{first}/live")).await;
    until(&mut events, "job-state", "the workspace is locked").await;
    me.submit(page, &format!("{page}/unlock"), &[]).await.leads();
    let free = until(&mut events, "job-state", "Created").await;
    assert!(!free.contains("Waits"), "{free}");
    assert!(!scene.shown(&first).await.contains("<dt>Waits</dt>"));
    scene.planned().await;
    let second = scene.job(&reviewed).await;
    let shown = scene.shown(&second).await;
    let number = first.rsplit('/').next().unwrap();
    let waits =
        format!("<dt>Waits</dt><dd><a href=\"{first}\">job {number}</a> goes first, and waits for an approval</dd>");
    assert!(shown.contains(&waits), "{waits}: {shown}");
    assert!(!scene.shown(&scene.job(&plan).await).await.contains("<dt>Waits</dt>"), "a plan waits for no job");
    house.give(number, "rejected").await.expect(204);
    assert!(!scene.shown(&second).await.contains("<dt>Waits</dt>"));
}

#[tokio::test]
async fn a_source_or_a_version_that_nobody_has_is_refused() {
    let app = TestApp::new().await.with_processes();
    let house = House::of(app).await;
    let me = Browser::new(&house.app, house.organization, Role::Admin).await;
    let new = format!("/console/organization/{}/workspaces/new", house.organization);
    let form = |field: &'static str, value: &'static str| {
        let fields =
            [("name", "dns"), ("branch", "main"), ("folder", "/"), ("iacType", "tofu"), ("executionMode", "remote")];
        fields.into_iter().chain([(field, value)]).collect::<Vec<_>>()
    };
    for (field, value, said) in [
        ("source", "ftp://x", "must be the URL of a repository, and begin with https://"),
        ("source", "file:///srv/a", "must be the URL of a repository, and begin with https://"),
        ("terraformVersion", "99.1", "accepts no version of tofu that is installed"),
    ] {
        let shown = me.submit(&new, &new, &form(field, value)).await.expect(400);
        assert!(shown.contains(said) && shown.contains(&format!("value=\"{value}\"")), "{field} {value}: {shown}");
    }
    me.submit(&new, &new, &form("source", "git@git.example:acme/dns.git")).await.leads();
}
