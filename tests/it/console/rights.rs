//! Who sees and does what: a viewer sees no button that would be refused, a stranger sees nothing, and no other site can send a form.

use entity::member::Role;
use serde_json::json;

use super::browser::Browser;
use crate::harness::{Furnished, TestApp, id};

/// What people would write to harm those who read it.
const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}gnp";

struct Scene {
    it: Furnished,
    job: String,
    deployment: String,
    variable: String,
}

impl Scene {
    async fn new(app: &TestApp) -> Self {
        let it = app.furnished().await;
        let job = it.create(it.cron("minutely", "* * * * *")).await;
        let request = it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
        let deployment = request["deployment_request_id"].as_str().unwrap().to_owned();
        let body = json!({"key": "COLOR", "value": "red"});
        let path = format!("/environment/{}/environmentVariable", it.environment);
        let variable = id(&it.client.post(&path, body).await.expect(201));
        Self { it, job, deployment, variable }
    }

    /// Pages that everybody may see who sees the environment.
    fn pages(&self) -> Vec<String> {
        let Furnished { organization, project, environment, .. } = &self.it;
        vec![
            format!("/console/organization/{organization}/environments"),
            format!("/console/environment/{environment}"),
            format!("/console/environment/{environment}/variables"),
            format!("/console/project/{project}/variables"),
            format!("/console/deployment/{}", self.deployment),
        ]
    }

    /// Forms for people who may change things, with their fields.
    fn forms(&self) -> Vec<String> {
        let Furnished { organization, project, environment, .. } = &self.it;
        let variable = &self.variable;
        vec![
            format!("/console/organization/{organization}/projects/new"),
            format!("/console/project/{project}/environments/new"),
            format!("/console/environment/{environment}/edit"),
            format!("/console/environment/{environment}/deploy-jobs"),
            format!("/console/job/{}/deploy-version", self.job),
            format!("/console/environment/{environment}/clone"),
            format!("/console/variables/environment/{environment}/new"),
            format!("/console/variables/environment/{environment}/import"),
            format!("/console/variables/environment/{environment}/{variable}/edit"),
            format!("/console/variables/environment/{environment}/{variable}/alias"),
            format!("/console/variables/project/{project}/new"),
            format!("/console/variables/job/{}/{variable}/override", self.job),
        ]
    }

    /// Buttons, which have no page of their own.
    fn buttons(&self) -> Vec<String> {
        let environment = &self.it.environment;
        let mut all: Vec<_> = ["deploy", "stop", "uninstall", "cancel", "cancel-runs", "delete"]
            .into_iter()
            .map(|word| format!("/console/environment/{environment}/action/{word}"))
            .collect();
        all.push(format!("/console/deployment/{}/cancel", self.deployment));
        all.push(format!("/console/variables/environment/{environment}/{}/delete", self.variable));
        all
    }
}

#[tokio::test]
async fn a_viewer_sees_pages_without_buttons() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    let (admin, viewer) = (
        Browser::new(&app, scene.it.organization, Role::Admin).await,
        Browser::new(&app, scene.it.organization, Role::Viewer).await,
    );
    let (mut all, mut seen) = (String::new(), String::new());
    for page in scene.pages() {
        all += &admin.get(&page).await.expect(200);
        seen += &viewer.get(&page).await.expect(200);
    }
    let token = viewer.csrf().await;
    for path in scene.forms() {
        assert!(!seen.contains(&format!("href=\"{path}\"")), "{path}");
        viewer.get(&path).await.expect(403);
        viewer.post(&path, &token, &[("name", "x")]).await.expect(403);
        admin.get(&path).await.expect(200);
    }
    for path in scene.buttons() {
        assert!(all.contains(&format!("action=\"{path}\"")) || path.contains("cancel"), "{path}");
        assert!(!seen.contains(&path), "{path}");
        viewer.post(&path, &token, &[]).await.expect(403);
    }
    assert_eq!(seen.matches("<button").count(), seen.matches("Sign out").count() + seen.matches(">Search<").count());
}

#[tokio::test]
async fn a_stranger_sees_nothing() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    let other = app.furnished_as("other").await;
    let stranger = Browser::new(&app, other.organization, Role::Admin).await;
    let token = stranger.csrf().await;
    for path in scene.pages().into_iter().chain(scene.forms()) {
        stranger.get(&path).await.expect(404);
    }
    for path in scene.forms().into_iter().chain(scene.buttons()) {
        stranger.post(&path, &token, &[("name", "x")]).await.expect(404);
    }
    stranger.get(&format!("/console/organization/{}/events", scene.it.organization)).await.expect(404);
    for path in ["/live", "/edit"] {
        stranger.get(&format!("/console/environment/{}{path}", scene.it.environment)).await.expect(404);
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    let (me, other) = (
        Browser::new(&app, scene.it.organization, Role::Admin).await,
        Browser::new(&app, scene.it.organization, Role::Admin).await,
    );
    let token = other.csrf().await;
    for path in scene.forms().into_iter().chain(scene.buttons()) {
        for token in ["", token.as_str()] {
            let text = me.post(&path, token, &[("name", "x")]).await.expect(403);
            assert!(text.contains("from another session"), "{text}");
        }
    }
}

#[tokio::test]
async fn hostile_texts_are_only_text() {
    let app = TestApp::new().await;
    let mut it = app.furnished().await;
    let path = format!("/organization/{}/project", it.organization);
    it.project = id(&it.client.post(&path, json!({"name": HOSTILE, "description": HOSTILE})).await.expect(200));
    let it = it.with_environment(HOSTILE).await;
    it.create(it.cron(HOSTILE, "* * * * *")).await;
    let secret = json!({"key": "A", "value": HOSTILE, "description": HOSTILE});
    let variable = it.client.post(&format!("/project/{}/environmentVariable", it.project), secret).await.expect(201);
    let request = it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    let deployment = request["deployment_request_id"].as_str().unwrap();
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let forms = format!("/console/variables/environment/{}", it.environment);
    for path in [
        format!("/console/organization/{}/environments", it.organization),
        format!("/console/project/{}/environments/new", it.project),
        format!("/console/environment/{}", it.environment),
        format!("/console/environment/{}/edit", it.environment),
        format!("/console/environment/{}/clone", it.environment),
        format!("/console/environment/{}/variables", it.environment),
        format!("{forms}/new"),
        format!("{forms}/{}/override", id(&variable)),
        format!("/console/deployment/{deployment}"),
    ] {
        let page = me.get(&path).await.expect(200);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{path}: {page}");
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "{path}");
    }
    let new = format!("{forms}/new");
    let page = me.submit(&new, &new, &[("key", HOSTILE), ("value", HOSTILE)]).await.expect(400);
    assert!(!page.contains("<script>") && page.contains("&quot;"), "{page}");
}

#[tokio::test]
async fn error_pages_say_what_to_do() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Viewer).await;
    let csrf = me.csrf().await;
    let edit = format!("/console/environment/{}/edit", it.environment);
    let refused = me.get(&edit).await.expect(403);
    assert!(refused.contains("An administrator of the organization can give you a role"), "{refused}");
    let foreign = me.post(&edit, "of-another-session", &[]).await.expect(403);
    assert!(foreign.contains("load the page again") && !foreign.contains("An administrator"), "{foreign}");
    let missing = me.get(&format!("/console/job/{}", uuid::Uuid::now_v7())).await.expect(404);
    assert!(missing.contains("It was deleted, or you cannot see it"), "{missing}");
    assert!(me.get("/console/no/such/page").await.expect(404).contains("Check it, or begin at the overview"));
    // The session ends while a page is open.
    app.clock.forward(400 * 24 * 3600);
    let to = me.get(&edit).await.leads();
    assert!(to.starts_with("/console/sign-in?next=%2Fconsole%2Fenvironment") && to.ends_with("&ended=page"), "{to}");
    assert!(me.get(&to).await.expect(200).contains("Your session has ended. Sign in again."));
    let to = me.post(&edit, &csrf, &[("name", "x")]).await.leads();
    assert_eq!(to, "/console/sign-in?next=%2Fconsole&ended=form");
    assert!(me.get(&to).await.expect(200).contains("the form was not accepted"));
}
