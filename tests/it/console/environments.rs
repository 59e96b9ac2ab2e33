//! The pages of environments and deployments.

use entity::member::Role;
use futures_util::StreamExt as _;
use serde_json::json;

use super::browser::{Browser, between};
use crate::harness::TestApp;

/// The environment that a redirect leads to.
fn environment_of(location: &str) -> String {
    between(&format!("{location}?"), "/console/environment/", "?").unwrap().to_owned()
}

#[tokio::test]
async fn create_edit_clone_and_delete() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let list = format!("/console/organization/{}/environments", it.organization);
    let page = me.get(&list).await.expect(200);
    for text in ["shop", "staging", "Not deployed", "never", "New project", "New environment"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let new = format!("/console/organization/{}/projects/new", it.organization);
    let refused = me.submit(&new, &new, &[("name", " "), ("description", "kept text")]).await.expect(400);
    assert!(refused.contains("must not be empty") && refused.contains("value=\"kept text\""), "{refused}");
    assert!(refused.contains("aria-invalid=\"true\""), "{refused}");
    let taken = me.submit(&new, &new, &[("name", "Shop")]).await.expect(400);
    assert!(taken.contains("already has a project with this name"), "{taken}");
    let back = me.submit(&new, &new, &[("name", "mail"), ("description", "post")]).await.leads();
    assert_eq!(back, format!("{list}?notice=project-created"));
    let page = me.get(&back).await.expect(200);
    assert!(page.contains("The project was created.") && page.contains(">mail<") && page.contains("post"), "{page}");

    let new = format!("/console/project/{}/environments/new", it.project);
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let cluster = clusters["results"][0]["id"].as_str().unwrap();
    let fields = [("name", "live"), ("mode", "Production"), ("cluster", cluster)];
    assert!(me.submit(&new, &new, &[("name", ""), ("mode", "Staging")]).await.expect(400).contains("selected>Staging"));
    let to = me.submit(&new, &new, &fields).await.leads();
    let live = environment_of(&to);
    let page = me.get(&to).await.expect(200);
    for text in ["live", "Production", "cluster local", "There is no job yet.", "Nothing was deployed yet."] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let made = it.client.get(&format!("/environment/{live}")).await.expect(200);
    assert_eq!((&made["mode"], &made["cluster_name"]), (&json!("PRODUCTION"), &json!("local")));

    let edit = format!("/console/environment/{live}/edit");
    assert!(me.get(&edit).await.expect(200).contains("value=\"live\""));
    let taken = me.submit(&edit, &edit, &[("name", "staging"), ("mode", "Production")]).await.expect(400);
    assert!(taken.contains("already has an environment with this name"), "{taken}");
    me.submit(&edit, &edit, &[("name", "front"), ("mode", "Staging")]).await.leads();
    let edited = it.client.get(&format!("/environment/{live}")).await.expect(200);
    assert_eq!((&edited["name"], &edited["mode"]), (&json!("front"), &json!("STAGING")));

    it.create(it.cron("minutely", "* * * * *")).await;
    let clone = format!("/console/environment/{}/clone", it.environment);
    let fields = [("name", "copy"), ("project_id", &*it.project), ("cluster_id", cluster), ("mode", "Development")];
    let copy = environment_of(&me.submit(&clone, &clone, &fields).await.leads());
    assert!(me.get(&format!("/console/environment/{copy}")).await.expect(200).contains("minutely"));
    let events = it.client.get(&format!("/organization/{}/events", it.organization)).await.expect(200);
    let kinds: Vec<_> = events["events"].as_array().unwrap().iter().map(|event| &event["event_type"]).collect();
    assert!(kinds.contains(&&json!("CLONE")) && kinds.contains(&&json!("UPDATE")), "{kinds:?}");

    let page = format!("/console/environment/{live}");
    let to = me.submit(&page, &format!("{page}/action/delete"), &[]).await.leads();
    assert_eq!(to, format!("{list}?notice=environment-deleted"));
    me.get(&page).await.expect(404);
}

#[tokio::test]
async fn deploy_stop_and_cancel() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let (job, setup) = (it.create(it.cron("minutely", "* * * * *")).await, it.create(it.lifecycle("setup")).await);
    let page = format!("/console/environment/{}", it.environment);
    let shown = me.get(&page).await.expect(200);
    assert!(shown.contains("not scheduled until it is deployed") && shown.contains("1.DEFAULT JOB"), "{shown}");
    assert!(!shown.contains("/action/cancel"), "nothing can be cancelled: {shown}");
    let to = me.submit(&page, &format!("{page}/action/deploy"), &[]).await.leads();
    assert_eq!(to, format!("{page}?notice=deploy"));
    let shown = me.get(&to).await.expect(200);
    assert!(shown.contains("The deployment was requested.") && shown.contains("Deployment queued"), "{shown}");
    me.submit(&page, &format!("{page}/action/cancel"), &[]).await.leads();
    assert!(me.get(&page).await.expect(200).contains("Cancelled"));
    let token = me.csrf().await;
    let again = me.post(&format!("{page}/action/cancel"), &token, &[]).await.expect(409);
    assert!(again.contains("Not possible now") && again.contains("no deployment to cancel"), "{again}");

    me.submit(&page, &format!("{page}/action/deploy"), &[]).await.leads();
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let shown = me.get(&page).await.expect(200);
    assert!(shown.contains("Redeploy") && shown.contains("Deployed"), "{shown}");
    app.clock.forward(5);
    let variable = json!({"key": "A", "value": "1"});
    it.client.post(&format!("/job/{job}/environmentVariable"), variable).await.expect(201);
    let shown = me.get(&page).await.expect(200);
    assert!(shown.contains("1 of 2 jobs out of date") && shown.contains("Out of date"), "{shown}");

    let deployment = between(&shown, "/console/deployment/", "\"").unwrap().to_owned();
    let shown = me.get(&format!("/console/deployment/{deployment}")).await.expect(200);
    for text in ["Deployment 2 of staging", "Succeeded", "Deploy everything", "minutely", "the deployment succeeded"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.contains("/console/run/") && shown.contains(&format!("/console/job/{setup}")), "{shown}");

    me.submit(&page, &format!("{page}/action/stop"), &[]).await.leads();
    let shown = me.get(&page).await.expect(200);
    let queued = between(&shown, "/console/deployment/", "\"").unwrap().to_owned();
    let queued = format!("/console/deployment/{queued}");
    me.submit(&queued, &format!("{queued}/cancel"), &[]).await.leads();
    assert!(me.get(&queued).await.expect(200).contains("Cancelled"));
    let token = me.csrf().await;
    me.post(&format!("{queued}/cancel"), &token, &[]).await.expect(409);
    me.post(&format!("{page}/action/explode"), &token, &[]).await.expect(404);
}

#[tokio::test]
async fn times_that_will_not_run_are_marked_in_both_tables() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let job = it.deployed(&app, it.cron("report", "*/5 * * * *")).await;
    let path = format!("/console/job/{job}");
    let pages =
        [format!("/console/organization/{}", it.organization), format!("/console/environment/{}", it.environment)];
    let expect = async |present: &[&str], absent: &[&str]| {
        for page in &pages {
            let shown = me.get(page).await.expect(200);
            assert!(present.iter().all(|text| shown.contains(text)), "{page}, {present:?}: {shown}");
            assert!(!absent.iter().any(|text| shown.contains(text)), "{page}, {absent:?}: {shown}");
        }
    };
    let (paused, skipped) = (">paused</span>", ">skipped</span>");
    expect(&["2026-11-22T10:05:00Z"], &[paused, skipped, "Runs <time"]).await;
    me.submit(&path, &format!("{path}/skip"), &[("at", "2026-11-22T10:05:00Z")]).await.leads();
    expect(&[skipped, "2026-11-22T10:05:00Z", "Runs <time", "2026-11-22T10:10:00Z"], &[paused]).await;
    let pause = format!("{path}/pause");
    me.submit(&pause, &pause, &[("until", "2026-11-23T09:00")]).await.leads();
    me.submit(&path, &format!("{path}/resume"), &[]).await.leads();
    expect(&["2026-11-22T10:05:00Z"], &[paused, skipped]).await;
    me.submit(&pause, &pause, &[("until", "2026-11-23T09:00")]).await.leads();
    expect(&[paused, ", until ", "Runs <time", "2026-11-23T09:00:00Z"], &["2026-11-22T10:05:00Z"]).await;
    me.submit(&path, &format!("{path}/resume"), &[]).await.leads();
    me.submit(&pause, &pause, &[("until", "")]).await.leads();
    expect(&[paused, "until it is resumed"], &["2026-11-22T10:05:00Z", "Runs <time"]).await;
}

#[tokio::test]
async fn the_buttons_of_an_open_deployment_change_with_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let job = it.create(it.lifecycle("migrate")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let shown = me.get(&format!("/console/environment/{}", it.environment)).await.expect(200);
    let deployment = between(&shown, "/console/deployment/", "\"").unwrap();
    let mut events = me.events(&format!("/console/deployment/{deployment}/live")).await;
    let first = events.next().await.unwrap();
    assert!(first.contains("cancel-runs"), "{first}");
    app.runner.exit_all(0);
    app.settle().await;
    for _ in 0..10 {
        let next = events.next().await.unwrap();
        if let Some(line) = next.lines().find(|line| line.contains("\"id\":\"deployment-actions\"")) {
            assert!(!line.contains("cancel"), "{line}");
            return;
        }
    }
    panic!("the buttons stay as they were");
}
