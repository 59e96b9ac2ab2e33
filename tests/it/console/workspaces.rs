//! The pages of workspaces and their jobs.

use entity::member::Role;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::browser::{Browser, between};
use crate::terrakube::{House, tcl};

const PLAN: [&str; 8] = [
    "OpenTofu will perform the following actions:",
    "  # terraform_data.a will be created",
    "  + resource \"terraform_data\" \"a\" {",
    "      + input = \"<script>\"",
    "  # terraform_data.b must be replaced",
    "-/+ resource \"terraform_data\" \"b\" {",
    "      ~ triggers_replace = 1 -> 2 # forces replacement",
    "Plan: 2 to add, 0 to change, 1 to destroy.",
];

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

    async fn list(&self, kind: &str) -> Vec<Value> {
        let body = self.house.get(&format!("workspace/{}/{kind}", self.workspace)).await;
        body["data"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_job_with_its_plan_is_approved_or_rejected() {
    let Scene { house, me, page, .. } = Scene::new().await;
    let list = format!("/console/organization/{}/workspaces", house.organization);
    let shown = me.get(&list).await.expect(200);
    for text in ["network", "Never executed", "https://git.example/infra.git"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let form = format!("{page}/jobs/new");
    let refused = [("templateReference", ""), ("comments", "kept"), ("branch", &*"b".repeat(129))];
    let shown = me.submit(&form, &form, &refused).await.expect(400);
    assert!(shown.contains("must be one of the list") && shown.contains("value=\"kept\""), "{shown}");
    let flow = "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";
    let template = house.create("template", "template", json!({"name": "reviewed", "tcl": tcl(flow)})).await;
    let fields = [("templateReference", &*template), ("comments", "first <b>"), ("targets", "terraform_data.a\n")];
    let job = me.submit(&form, &form, &fields).await.leads();
    let job = job.split('?').next().unwrap().to_owned();
    let shown = me.get(&job).await.expect(200);
    assert!(shown.contains("first &lt;b&gt;") && shown.contains("Pending"), "{shown}");
    house.app.settle().await;
    let step = house.app.runner.steps().pop().unwrap();
    house.app.runner.write(&step, &PLAN);
    house.app.settle().await;
    let shown = me.get(&job).await.expect(200);
    for text in ["2 to add, 0 to change, 1 to destroy.", "terraform_data.b must be replaced", "class=\"sign ok\""] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("\"<script>\"") && shown.contains("&lt;script&gt;"), "{shown}");
    let step_id = between(&shown, &format!("{job}/steps/"), "/log\"").unwrap();
    let log = format!("{job}/steps/{step_id}/log");
    house.app.runner.leave(&step, r#"{"changes": true}"#);
    house.app.runner.exit_all(0);
    house.app.settle().await;
    assert!(me.get(&log).await.expect(200).contains("terraform_data.a will be created"));
    let number = job.rsplit('/').next().unwrap().to_owned();
    let status = async || house.status(&number).await.0;
    assert_eq!(status().await, "waitingApproval");
    let shown = me.get(&job).await.expect(200);
    assert!(shown.contains("Waits for an approval") && shown.contains("Approve"), "{shown}");
    let long = "x".repeat(513);
    let token = me.csrf().await;
    let review = format!("{job}/review/reject");
    me.post(&review, &token, &[("comments", &long)]).await.expect(400);
    me.post(&review, &token, &[("comments", "not today")]).await.leads();
    assert_eq!(status().await, "rejected");
    assert!(me.get(&job).await.expect(200).contains("not today"));
    let again = me.post(&format!("{job}/review/approve"), &me.csrf().await, &[]).await.expect(409);
    assert!(again.contains("cannot become"), "{again}");
    me.post(&format!("{job}/review/nothing"), &me.csrf().await, &[]).await.expect(404);

    let second = me.submit(&form, &form, &[("templateReference", &*template)]).await.leads();
    let second = second.split('?').next().unwrap();
    me.submit(second, &format!("{second}/review/cancel"), &[]).await.leads();
    assert!(me.get(second).await.expect(200).contains("Cancelled"));
    assert!(me.get(&page).await.expect(200).contains("reviewed"));
}

#[tokio::test]
async fn locks_variables_and_schedules() {
    let scene = Scene::new().await;
    let Scene { house, me, page, .. } = &scene;
    me.submit(page, &format!("{page}/lock"), &[("reason", "a <move>")]).await.leads();
    assert!(me.get(page).await.expect(200).contains("no new job starts: a &lt;move&gt;"));
    let shown = me.get(&format!("/console/organization/{}/workspaces", house.organization)).await.expect(200);
    assert!(shown.contains("Locked"), "{shown}");
    me.submit(page, &format!("{page}/unlock"), &[]).await.leads();
    assert!(!me.get(page).await.expect(200).contains("no new job starts:"));

    let new = format!("{page}/variables/new");
    let refused = [("key", "bad key"), ("value", "kept"), ("category", "TERRAFORM")];
    let shown = me.submit(&new, &new, &refused).await.expect(400);
    assert!(shown.contains("must consist of letters, digits") && shown.contains("kept"), "{shown}");
    let broken = [("key", "zones"), ("value", "[1, 2"), ("category", "TERRAFORM"), ("hcl", "on")];
    let shown = me.submit(&new, &new, &broken).await.expect(400);
    assert!(shown.contains("the value of the variable zones is no expression of HCL (line "), "{shown}");
    let fields = [("key", "token"), ("value", "hush-hush"), ("category", "TERRAFORM"), ("sensitive", "on")];
    me.submit(&new, &new, &fields).await.leads();
    me.submit(&new, &new, &[("key", "region"), ("value", "north"), ("category", "TERRAFORM")]).await.leads();
    let twice =
        me.submit(&new, &new, &[("key", "region"), ("value", "x"), ("category", "TERRAFORM")]).await.expect(400);
    assert!(twice.contains("already has a variable region"), "{twice}");
    let shown = me.get(page).await.expect(200);
    assert!(shown.contains("north") && !shown.contains("hush-hush") && shown.contains("sensitive"), "{shown}");
    let variables = scene.list("variable").await;
    let of = |key: &str| variables.iter().find(|one| one["attributes"]["key"] == key).unwrap()["id"].as_str().unwrap();
    let edit = format!("{page}/variables/{}/edit", of("token"));
    assert!(!me.get(&edit).await.expect(200).contains("hush-hush"));
    let bare = [("key", "token"), ("value", ""), ("category", "TERRAFORM")];
    assert!(me.submit(&edit, &edit, &bare).await.expect(400).contains("the present one is not revealed"));
    me.submit(&edit, &edit, &[("key", "token"), ("category", "TERRAFORM"), ("sensitive", "on"), ("description", "d")])
        .await
        .leads();
    me.submit(page, &format!("{page}/variables/{}/delete", of("region")), &[]).await.leads();
    let keys: Vec<_> = scene.list("variable").await.iter().map(|one| one["attributes"]["key"].clone()).collect();
    assert_eq!(keys, [json!("token")]);

    let new = format!("{page}/schedules/new");
    let shown = me.submit(&new, &new, &[("cron", "nonsense"), ("enabled", "on")]).await.expect(400);
    assert!(shown.contains("value=\"nonsense\"") && shown.contains("class=\"problem\""), "{shown}");
    let template = house.template("Plan").await;
    me.submit(&new, &new, &[("cron", "0 5 * * *"), ("templateReference", &template), ("enabled", "on")]).await.leads();
    let schedules = scene.list("schedule").await;
    assert_eq!(schedules[0]["attributes"]["cron"], "0 5 * * *");
    let own = format!("{page}/schedules/{}", schedules[0]["id"].as_str().unwrap());
    let edit = format!("{own}/edit");
    assert!(me.get(&edit).await.expect(200).contains("value=\"0 5 * * *\""));
    me.submit(&edit, &edit, &[("cron", "0 6 * * *"), ("templateReference", &template)]).await.leads();
    let changed = &scene.list("schedule").await[0]["attributes"];
    assert_eq!((&changed["cron"], &changed["enabled"]), (&json!("0 6 * * *"), &json!(false)));
    me.submit(page, &format!("{own}/delete"), &[]).await.leads();
    assert!(scene.list("schedule").await.is_empty());
}

#[tokio::test]
async fn states_and_outputs() {
    let Scene { house, me, workspace, page } = Scene::new().await;
    assert!(me.get(&page).await.expect(200).contains("There is no state yet."));
    let state = json!({
        "version": 4, "serial": 7, "lineage": "l", "resources": [],
        "outputs": {"address": {"value": "10.0.0.1", "type": "string"}, "key": {"value": "hush-hush", "type": "string", "sensitive": true}},
    });
    let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let (status, _, text) = house.client.whole("POST", &backend, Some(&state.to_string()), &[]).await;
    assert_eq!(status, 200, "{text}");
    let shown = me.get(&page).await.expect(200);
    assert!(shown.contains("10.0.0.1") && !shown.contains("hush-hush") && shown.contains("sensitive"), "{shown}");
    let file = between(&shown, &format!("{page}/states/"), "\"").unwrap();
    let file = me.get(&format!("{page}/states/{file}")).await.expect(200);
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), state);
    let lock = json!({"ID": "1", "Who": "ann <b>", "Operation": "apply"}).to_string();
    house.client.whole("LOCK", &backend, Some(&lock), &[]).await;
    let shown = me.get(&page).await.expect(200);
    assert!(shown.contains("The state is locked by ann &lt;b&gt; (apply)"), "{shown}");
    me.submit(&page, &format!("{page}/unlock-state"), &[]).await.leads();
    assert!(!me.get(&page).await.expect(200).contains("The state is locked"));
}

#[tokio::test]
async fn viewers_strangers_and_other_sites() {
    let Scene { house, me, page, workspace } = Scene::new().await;
    let template = house.template("Plan").await;
    let job = house.start(&workspace, json!({"templateReference": template})).await;
    let variable = json!({"key": "a", "value": "1", "category": "TERRAFORM"});
    let variable = house.create(&format!("workspace/{workspace}/variable"), "variable", variable).await;
    let job = format!("/console/workspace-job/{job}");
    let (viewer, other) =
        (Browser::new(&house.app, house.organization, Role::Viewer).await, house.app.organization("other").await);
    let stranger = Browser::new(&house.app, other, Role::Admin).await;
    let list = format!("/console/organization/{}/workspaces", house.organization);
    let forms = [
        format!("{list}/new"),
        format!("{page}/edit"),
        format!("{page}/jobs/new"),
        format!("{page}/variables/new"),
        format!("{page}/variables/{variable}/edit"),
        format!("{page}/schedules/new"),
    ];
    let buttons = [
        format!("{page}/delete"),
        format!("{page}/lock"),
        format!("{page}/unlock"),
        format!("{page}/unlock-state"),
        format!("{page}/variables/{variable}/delete"),
        format!("{job}/review/approve"),
        format!("{job}/review/reject"),
        format!("{job}/review/cancel"),
        format!("{job}/review/comment"),
    ];
    let seen = viewer.get(&list).await.expect(200)
        + &viewer.get(&page).await.expect(200)
        + &viewer.get(&job).await.expect(200);
    assert_eq!(seen.matches("<button").count(), seen.matches("Sign out").count(), "{seen}");
    let (token, foreign) = (viewer.csrf().await, stranger.csrf().await);
    for path in &forms {
        assert!(!seen.contains(path), "{path}");
        viewer.get(path).await.expect(403);
        stranger.get(path).await.expect(404);
        me.get(path).await.expect(200);
    }
    for path in forms.iter().chain(&buttons) {
        viewer.post(path, &token, &[]).await.expect(403);
        stranger.post(path, &foreign, &[]).await.expect(404);
        me.post(path, &foreign, &[]).await.expect(403);
    }
    for path in [&page, &job, &format!("{page}/live"), &format!("{job}/live")] {
        stranger.get(path).await.expect(404);
    }
    stranger.get(&format!("/console/organization/{}/workspaces", house.organization)).await.expect(404);
}

#[tokio::test]
async fn a_workspace_is_created_changed_and_removed() {
    let Scene { house, me, page, .. } = Scene::new().await;
    let list = format!("/console/organization/{}/workspaces", house.organization);
    let new = format!("{list}/new");
    let template = house.template("Plan").await;
    let base = [("branch", "main"), ("folder", "/"), ("iacType", "tofu"), ("executionMode", "remote")];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        base.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).chain(more).copied().collect()
    };
    for (field, text, said) in [
        ("name", "", "must not be empty"),
        ("name", "network", "already has a workspace network"),
        ("folder", "a/../..", "must be a path inside the repository"),
        ("source", "https://me:pw@git.example/a.git", "must not contain a password"),
        ("iacType", "pulumi", "must be one of tofu, terraform"),
        ("executionMode", "moon", "must be one of remote, local"),
        ("terraformVersion", "newest <b>", "class=\"problem\""),
    ] {
        let mut fields = with(&[(field, text)]);
        fields.extend((field != "name").then_some(("name", "kept-name")));
        let shown = me.submit(&new, &new, &fields).await.expect(400);
        assert!(shown.contains(said) && (field == "name" || shown.contains("value=\"kept-name\"")), "{field}: {shown}");
    }
    let mut fields: Vec<(&str, &str)> =
        with(&[("name", "dns <b>"), ("source", "https://git.example/dns.git"), ("terraformVersion", "1.9.0")]);
    fields.push(("defaultTemplate", &template));
    let own = me.submit(&new, &new, &fields).await.leads();
    let own = own.split('?').next().unwrap();
    let shown = me.get(own).await.expect(200);
    assert!(shown.contains("dns &lt;b&gt;") && shown.contains("https://git.example/dns.git"), "{shown}");
    let id = own.rsplit('/').next().unwrap();
    let attributes = house.get(&format!("workspace/{id}")).await["data"]["attributes"].clone();
    assert_eq!((&attributes["terraformVersion"], &attributes["defaultTemplate"]), (&json!("1.9.0"), &json!(template)));
    assert_eq!((&attributes["iacType"], &attributes["lastJobStatus"]), (&json!("tofu"), &json!("NeverExecuted")));

    // A cluster that can run nothing is refused, and not in the list.
    let clusters = format!("/organization/{}/cluster", house.organization);
    let body = json!({"name": "factory", "region": "r", "cloud_provider": "ON_PREMISE"});
    let cluster = house.client.post(&clusters, body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let edit = format!("{own}/edit");
    assert!(!me.get(&edit).await.expect(200).contains("factory"));
    let mut fields: Vec<(&str, &str)> = with(&[("name", "dns")]);
    fields.push(("agent", &cluster));
    let shown = me.submit(&edit, &edit, &fields).await.expect(400);
    assert!(shown.contains("must be a cluster with a kubeconfig or with agents"), "{shown}");
    house.client.post(&format!("{clusters}/{cluster}/agent"), json!({"name": "a"})).await.expect(201);
    me.submit(&edit, &edit, &fields).await.leads();
    assert!(me.get(own).await.expect(200).contains("on the cluster factory"));

    // What the form does not have stays as it is.
    let change = crate::terrakube::change("workspace", id, json!({"locked": true, "allowRemoteApply": true}));
    house.client.patch(&house.path(&format!("workspace/{id}")), change).await.expect(204);
    fields.push(("terraformVersion", "1.9.0"));
    me.submit(&edit, &edit, &fields).await.leads();
    assert!(me.get(&edit).await.expect(200).contains("value=\"1.9.0\""));
    me.submit(&edit, &edit, &with(&[("name", "dns"), ("iacType", "terraform"), ("branch", "next")])).await.leads();
    let attributes = house.get(&format!("workspace/{id}")).await["data"]["attributes"].clone();
    assert_eq!((&attributes["branch"], &attributes["source"]), (&json!("next"), &json!("empty")));
    assert_eq!((&attributes["locked"], &attributes["allowRemoteApply"]), (&json!(true), &json!(true)));

    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [{"type": "a", "name": "b"}]});
    let backend = format!("/tfstate/v1/organization/{}/workspace/{id}/backend", house.organization);
    let (status, _, text) = house.client.whole("POST", &backend, Some(&state.to_string()), &[]).await;
    assert_eq!(status, 200, "{text}");
    let delete = format!("{own}/delete");
    assert!(me.submit(&edit, &delete, &[]).await.expect(409).contains("has resources or outputs"));
    assert!(me.submit(&edit, &delete, &[("keep", "on")]).await.leads().starts_with(&list));
    me.get(own).await.expect(404);
    let edit = format!("{page}/edit");
    me.submit(&edit, &format!("{page}/delete"), &[]).await.leads();
    me.get(&page).await.expect(404);
    assert!(me.get(&list).await.expect(200).contains("create the first one"));
}

#[tokio::test]
async fn the_log_of_a_step_grows_on_an_open_page() {
    let Scene { house, me, workspace, .. } = Scene::new().await;
    let template = house.template("Plan").await;
    let job = house.start(&workspace, json!({"templateReference": template})).await;
    house.app.settle().await;
    let step = house.app.runner.steps().pop().unwrap();
    let mut events = me.events(&format!("/console/workspace-job/{job}/live")).await;
    assert!(events.next().await.unwrap().contains("No lines yet."));
    house.app.runner.write(&step, &["a new line"]);
    house.app.settle().await;
    // Without news, a comment would come.
    let next = events.next().await.unwrap();
    assert!(next.contains("a new line"), "{next}");
}
