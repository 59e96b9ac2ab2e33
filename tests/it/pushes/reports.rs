//! What is reported about a job: the status of its commit, and one comment that is edited.

use std::time::Duration;

use entity::webhook_delivery::DeliveryState;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use windlass::push::send_reports;

use super::Followed;
use super::payloads::{NEW, NEWER, pull_request, push};
use super::provider::{Provider, Said};
use crate::harness::{TestApp, wait_for};
use crate::terrakube::{change, id, new, tcl};

const TOKEN: &str = "a token of the provider";

/// A followed repository of a provider, with a connection.
async fn connected(provider: &Provider, vcs_type: &str) -> Followed {
    let it = linked(provider, vcs_type).await;
    it.event(json!({"event": "PUSH"})).await;
    it.event(json!({"event": "PULL_REQUEST"})).await;
    it
}

/// The same without events.
async fn linked(provider: &Provider, vcs_type: &str) -> Followed {
    let source = format!("{}/acme/infra.git", provider.url);
    let it = Followed::of(TestApp::with_private_webhooks().await, &source).await;
    connect(&it, json!({"vcsType": vcs_type, "endpoint": provider.url, "apiUrl": format!("{}/api", provider.url)}))
        .await;
    it
}

async fn connect(it: &Followed, attributes: serde_json::Value) {
    connect_as(it, "hub", attributes).await;
}

async fn connect_as(it: &Followed, name: &str, mut attributes: serde_json::Value) {
    attributes["name"] = json!(name);
    attributes["accessToken"] = json!(TOKEN);
    let vcs = it.house.create("vcs", "vcs", attributes).await;
    let link = json!({"data": {"type": "vcs", "id": vcs}});
    let path = format!("/api/v1/workspace/{}/relationships/vcs", it.workspace);
    it.house.client.patch(&path, link).await.expect(204);
}

async fn sent(it: &Followed, provider: &Provider) -> Vec<Said> {
    send_reports(&it.house.app.app).await.unwrap();
    provider.take()
}

#[tokio::test]
async fn the_status_of_a_commit_follows_its_job() {
    let provider = Provider::new().await;
    let it = connected(&provider, "GITHUB").await;
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    let said = sent(&it, &provider).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(
        (said[0].method.as_str(), said[0].path.clone()),
        ("POST", format!("/api/repos/acme/infra/statuses/{NEW}"))
    );
    assert_eq!(said[0].authorization, format!("token {TOKEN}"));
    assert_eq!((&said[0].body["state"], &said[0].body["context"]), (&json!("pending"), &json!("windlass/net")));
    let link = said[0].body["target_url"].as_str().unwrap();
    assert!(link.ends_with(&format!("/console/workspace-job/{job}")), "{link}");
    assert!(sent(&it, &provider).await.is_empty(), "nothing has changed");
    it.house.app.settle().await;
    let said = sent(&it, &provider).await;
    assert_eq!(said.last().unwrap().body["description"], "the job is running");
    it.house.end(1, "{}").await;
    let said = sent(&it, &provider).await;
    assert_eq!(said.len(), 1, "several changes are one report: {said:?}");
    assert_eq!(said[0].body["state"], "failure");
}

const PLAN_ASK_APPLY: &str =
    "flow:\n- {type: terraformPlan, step: 1}\n- {type: approval, step: 2}\n- {type: terraformApply, step: 3}\n";

/// GitLab refuses the state that a commit has already, and pending after running.
#[tokio::test]
async fn gitlab_is_told_each_state_once() {
    let provider = Provider::new().await;
    provider.as_gitlab("created");
    let it = linked(&provider, "GITLAB").await;
    let template = json!({"name": "ask", "tcl": tcl(PLAN_ASK_APPLY)});
    let template = it.house.create("template", "template", template).await;
    it.event(json!({"event": "PUSH", "templateId": template})).await;
    let states = async || -> Vec<String> {
        let said = sent(&it, &provider).await;
        said.iter().map(|said| said.body["state"].as_str().unwrap().to_owned()).collect()
    };
    let none: [&str; 0] = [];
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    assert_eq!(states().await, ["pending"]);
    it.house.app.settle().await;
    assert_eq!(states().await, ["running"]);
    it.house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(it.house.status(&job).await.0, "waitingApproval");
    assert_eq!(states().await, none);
    it.house.give(&job, "approved").await.expect(204);
    assert_eq!(states().await, none);
    it.house.app.settle().await;
    assert_eq!(states().await, none);
    it.house.end(0, "").await;
    assert_eq!(states().await, ["success"]);
    assert_eq!(provider.refused(), none);
}

#[tokio::test]
async fn a_state_that_gitlab_has_already_counts_as_sent() {
    let provider = Provider::new().await;
    // An earlier request arrived, and its answer did not.
    provider.as_gitlab("pending");
    let it = connected(&provider, "GITLAB").await;
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    assert!(sent(&it, &provider).await.is_empty());
    assert_eq!(provider.refused(), ["Cannot transition status via :enqueue from :pending"]);
    let reports = windlass::store::push::list_reports(&it.house.app.app.db, job.parse().unwrap()).await.unwrap();
    assert_eq!((reports[0].state, reports[0].error.as_deref()), (DeliveryState::Delivered, None));
    it.house.app.settle().await;
    assert_eq!(sent(&it, &provider).await[0].body["state"], "running");
}

#[tokio::test]
async fn a_pull_request_has_one_comment_that_is_edited() {
    for (vcs_type, post, edit) in [
        ("GITHUB", "/api/repos/acme/infra/issues/7/comments", ("PATCH", "/api/repos/acme/infra/issues/comments/1")),
        (
            "GITLAB",
            "/api/projects/acme%2Finfra/merge_requests/7/notes",
            ("PUT", "/api/projects/acme%2Finfra/merge_requests/7/notes/1"),
        ),
        (
            "BITBUCKET",
            "/api/repositories/acme/infra/pullrequests/7/comments",
            ("PUT", "/api/repositories/acme/infra/pullrequests/7/comments/1"),
        ),
    ] {
        let provider = Provider::new().await;
        let it = connected(&provider, vcs_type).await;
        let open = pull_request("opened", 7, NEW, "acme/infra");
        let job = Followed::started(it.github("pull_request", "1", &open).await);
        let comments =
            |said: Vec<Said>| -> Vec<Said> { said.into_iter().filter(|said| !said.path.contains("status")).collect() };
        let text = |said: &Said| {
            let raw = &said.body["content"]["raw"];
            raw.as_str().or(said.body["body"].as_str()).unwrap().to_owned()
        };
        let first = comments(sent(&it, &provider).await);
        assert_eq!(first.len(), 1, "{vcs_type}");
        assert_eq!((first[0].method.as_str(), first[0].path.as_str()), ("POST", post));
        it.house.app.settle().await;
        it.house.end(0, r#"{"changes":true}"#).await;
        let done = comments(sent(&it, &provider).await);
        assert_eq!((done[0].method.as_str(), done[0].path.as_str()), edit);
        assert!(text(&done[0]).contains("the plan is complete") && text(&done[0]).contains(&format!("[Job {job}]")));
        // A new commit edits the same comment.
        let more = pull_request("synchronize", 7, NEWER, "acme/infra");
        let next = Followed::started(it.github("pull_request", "2", &more).await);
        let said = comments(sent(&it, &provider).await);
        assert_eq!((said[0].method.as_str(), said[0].path.as_str()), edit);
        assert!(text(&said[0]).contains(&NEWER[..8]) && text(&said[0]).contains(&format!("[Job {next}]")));
        // One that was deleted is written anew.
        provider.refuse(&[404, 404]);
        it.house.app.settle().await;
        let said = comments(sent(&it, &provider).await);
        assert_eq!((said[0].method.as_str(), said[0].path.as_str()), ("POST", post), "{vcs_type}");
    }
}

#[tokio::test]
async fn a_report_is_tried_again_and_in_the_end_given_up() {
    let provider = Provider::new().await;
    let it = connected(&provider, "GITHUB").await;
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    provider.refuse(&[503, 500]);
    assert!(sent(&it, &provider).await.is_empty());
    assert!(sent(&it, &provider).await.is_empty(), "not before the pause");
    it.house.app.clock.forward(6);
    assert!(sent(&it, &provider).await.is_empty());
    it.house.app.clock.forward(31);
    assert_eq!(sent(&it, &provider).await.len(), 1);
    it.house.app.settle().await;
    provider.refuse(&[401; 20]);
    for _ in 0..8 {
        assert!(sent(&it, &provider).await.is_empty());
        it.house.app.clock.forward(9 * 3600);
    }
    provider.refuse(&[]);
    assert!(sent(&it, &provider).await.is_empty(), "it was given up");
    let reports = windlass::store::push::list_reports(&it.house.app.app.db, job.parse().unwrap()).await.unwrap();
    assert!(reports[0].error.as_deref().unwrap().starts_with("the provider answered 401"));
    // The next change is reported again.
    it.house.end(1, "{}").await;
    assert_eq!(sent(&it, &provider).await.len(), 1);
}

#[tokio::test]
async fn a_token_goes_to_the_api_of_its_own_host_only() {
    let (own, evil) = (Provider::new().await, Provider::new().await);
    let it = Followed::of(TestApp::with_private_webhooks().await, "https://git.example/acme/infra.git").await;
    connect(&it, json!({"vcsType": "GITHUB", "endpoint": own.url, "apiUrl": evil.url})).await;
    it.event(json!({"event": "PUSH"})).await;
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    assert!(sent(&it, &evil).await.is_empty() && own.take().is_empty());
    let reports = windlass::store::push::list_reports(&it.house.app.app.db, job.parse().unwrap()).await.unwrap();
    let error = reports[0].error.clone().unwrap();
    assert!(error.contains("is not sent to") && !error.contains(TOKEN), "{error}");
    // Private addresses need the setting of webhooks.
    let provider = Provider::new().await;
    let plain = Followed::of(TestApp::new().await, "https://git.example/acme/infra.git").await;
    connect(&plain, json!({"vcsType": "GITHUB", "endpoint": provider.url, "apiUrl": provider.url})).await;
    plain.event(json!({"event": "PUSH"})).await;
    let job = Followed::started(plain.github("push", "1", &push("main", NEW, &["a"])).await);
    assert!(sent(&plain, &provider).await.is_empty());
    let reports = windlass::store::push::list_reports(&plain.house.app.app.db, job.parse().unwrap()).await.unwrap();
    assert!(reports[0].error.as_deref().unwrap().contains("--webhook-private-addresses"));
}

#[tokio::test]
async fn nothing_is_reported_without_a_connection() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    let reports = windlass::store::push::list_reports(&it.house.app.app.db, job.parse().unwrap()).await.unwrap();
    assert!(reports.is_empty());
    let variable = new("variable", json!({"key": "k", "value": "v", "category": "ENV"}));
    it.house.client.post(&it.house.path(&format!("workspace/{}/variable", it.workspace)), variable).await.expect(201);
    let renamed = change("workspace", &it.workspace, json!({"name": "other"}));
    it.house.client.patch(&it.house.path(&format!("workspace/{}", it.workspace)), renamed).await.expect(204);
}

/// Adds a workspace with a webhook, and returns both.
async fn second(it: &Followed, source: &str) -> (String, String) {
    let attributes = json!({"name": "other", "source": source, "branch": "main"});
    let workspace = it.house.create("workspace", "workspace", attributes).await;
    let path = it.house.path(&format!("workspace/{workspace}/webhook"));
    let hook = it.house.client.post(&path, new("webhook", json!({"secret": super::SECRET}))).await.expect(201);
    (workspace, id(&hook))
}

/// A provider that hangs delays the reports about its own workspaces only.
#[tokio::test]
async fn a_provider_that_hangs_delays_only_itself() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("http://{}", silent.local_addr().unwrap());
    let provider = Provider::new().await;
    let mut it = linked(&provider, "GITHUB").await;
    it.event(json!({"event": "PUSH"})).await;
    let (workspace, hook) = second(&it, &format!("{hanging}/acme/infra.git")).await;
    let (workspace, hook) = (std::mem::replace(&mut it.workspace, workspace), std::mem::replace(&mut it.hook, hook));
    connect_as(&it, "silent", json!({"vcsType": "GITHUB", "endpoint": hanging, "apiUrl": format!("{hanging}/api")}))
        .await;
    it.event(json!({"event": "PUSH"})).await;
    Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    (it.workspace, it.hook) = (workspace, hook);
    let work = async {
        // The connection is accepted, and nothing is answered.
        let _held = silent.accept().await.unwrap();
        Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
        wait_for("the report to the other provider", async || (!provider.take().is_empty()).then_some(())).await;
    };
    let end = CancellationToken::new();
    let work = async {
        let within = tokio::time::timeout(Duration::from_secs(8), work).await;
        end.cancel();
        within
    };
    let ((), within) = tokio::join!(windlass::push::run(&it.house.app.app, end.clone()), work);
    within.expect("it waited for a call that hung");
}
