//! A push to the repository of jobs with `auto_deploy` deploys those that it concerns.

use std::path::Path;

use serde_json::{Value, json};
use windlass::push::{deploy_pushed, find_heads};

use crate::git_server::{Rule, folder, git, serve};
use crate::harness::{Furnished, TestApp};

/// Changes a file of the repository, and pushes it.
pub(super) fn change(folder: &Path, file: &str) -> String {
    let work = folder.join("work");
    std::fs::create_dir_all(work.join(file).parent().unwrap()).unwrap();
    let text = std::fs::read_to_string(work.join(file)).unwrap_or_default();
    std::fs::write(work.join(file), text + "more\n").unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", file]);
    git(&work, &["push", "-q", "../app.git", "main"]);
    let done = std::process::Command::new("git").current_dir(&work).args(["rev-parse", "HEAD"]).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

pub(super) async fn job(it: &Furnished, name: &str, url: &str, (root, is_auto): (&str, bool)) -> String {
    let mut job = it.cron(name, "@yearly");
    job["auto_deploy"] = json!(is_auto);
    job["source"] = json!({"docker": {"dockerfile_path": "Dockerfile", "git_repository":
        {"url": url, "provider": "GITHUB", "branch": "main", "root_path": root}}});
    it.create(job).await
}

/// Ends what is built, until nothing is.
pub(super) async fn built(app: &TestApp) {
    let commit = json!({"id": "0123456789abcdef0123456789abcdef01234567", "at": "2026-01-02T03:04:05Z", "author": "Ada",
        "message": "Count"});
    for _ in 0..4 {
        for name in app.runner.steps() {
            app.runner.leave(&name, &json!({"image": "windlass-build/x:1", "commit": commit}).to_string());
        }
        app.runner.exit_all(0);
        app.settle().await;
    }
}

async fn polled(app: &TestApp) {
    app.clock.forward(331);
    find_heads(&app.app, app.clock.now()).await.unwrap();
    deploy_pushed(&app.app, app.clock.now()).await.unwrap();
    app.settle().await;
}

/// The commits that are being built.
pub(super) fn building(app: &TestApp) -> Vec<Option<String>> {
    let open = app.runner.steps();
    let started = app.runner.started();
    let of = started.into_iter().filter(|step| open.contains(&step.name));
    of.map(|step| step.build.unwrap().source.unwrap().commit).collect()
}

#[tokio::test]
async fn a_push_deploys_the_jobs_that_it_concerns() {
    let folder = folder();
    let (server, _) = serve(folder.path(), Rule::Open).await;
    let url = format!("{server}/app.git");
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let shop = job(&it, "shop", &url, ("/app", true)).await;
    let tools = job(&it, "tools", &url, ("/", true)).await;
    let manual = job(&it, "manual", &url, ("/", false)).await;
    let fresh = job(&it, "fresh", &url, ("/", true)).await;
    let restrict = async |job: &str, mode: &str, value: &str| {
        let body = json!({"mode": mode, "type": "PATH", "value": value});
        it.client.post(&format!("/job/{job}/deploymentRestriction"), body).await.expect(201);
    };
    restrict(&shop, "EXCLUDE", "app/docs").await;
    restrict(&tools, "MATCH", "tools/").await;
    for job in [&shop, &tools, &manual] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        built(&app).await;
        assert_eq!(it.state(job).await, "DEPLOYED");
    }
    let states = async || {
        let mut found = Vec::new();
        for job in [&shop, &tools, &manual, &fresh] {
            found.push(it.state(job).await);
        }
        found
    };
    let calm = states().await;
    polled(&app).await;
    assert_eq!(states().await, calm, "the first poll only remembers");
    change(folder.path(), "app/docs/a.md");
    polled(&app).await;
    assert_eq!(states().await, calm, "an excluded path deploys nothing");
    let commit = change(folder.path(), "app/main.rs");
    polled(&app).await;
    assert_eq!(it.state(&shop).await, "BUILDING");
    assert_eq!(building(&app), [Some(commit)]);
    built(&app).await;
    assert_eq!(states().await, calm);
    let commit = change(folder.path(), "tools/x");
    polled(&app).await;
    assert_eq!((it.state(&tools).await, it.state(&shop).await), ("BUILDING".to_owned(), "DEPLOYED".to_owned()));
    assert_eq!(building(&app), [Some(commit)]);
    built(&app).await;
    polled(&app).await;
    assert_eq!(states().await, calm, "each commit deploys once");
    let history = it.client.get(&format!("/environment/{}/deploymentHistoryV2", it.environment)).await.expect(200);
    let by: Vec<&Value> =
        history["results"].as_array().unwrap().iter().map(|one| &one["auditing_data"]["triggered_by"]).collect();
    assert!(by.contains(&&json!("auto-deploy")), "{history}");
}

#[tokio::test]
async fn a_push_leaves_out_a_job_that_is_being_deleted() {
    let folder = folder();
    let (server, _) = serve(folder.path(), Rule::Open).await;
    let url = format!("{server}/app.git");
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let kept = job(&it, "kept", &url, ("/", true)).await;
    let leaving = job(&it, "leaving", &url, ("/", true)).await;
    for job in [&kept, &leaving] {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        built(&app).await;
    }
    polled(&app).await;
    let commit = change(folder.path(), "app/main.rs");
    it.client.delete(&format!("/job/{leaving}")).await.expect(204);
    polled(&app).await;
    app.settle().await;
    assert_eq!(it.state(&kept).await, "BUILDING");
    assert_eq!(building(&app), [Some(commit)]);
    it.client.get(&format!("/job/{leaving}")).await.expect(404);
}
