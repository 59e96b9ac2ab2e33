//! What is delivered to a push hook has branches polled at once, and the poll deploys as always.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use windlass::error::Error;
use windlass::push::{deploy_pushed, find_heads};
use windlass::store;

use super::auto_deploy::{building, built, change, job};
use super::payloads::{NEW, OLD, bitbucket_push, gitlab_push, pull_request, push};
use super::{Headers, deliver, of_github, signature};
use crate::engine::poison::{Rejects, cure, poison};
use crate::git_server::{Rule, folder, serve};
use crate::harness::{Answer, Furnished, TestApp, id, wait_for};

/// A push hook of an organization with a job that is built from `app.git`, and its repository.
struct Hooked {
    app: TestApp,
    it: Furnished,
    folder: tempfile::TempDir,
    hook: String,
    secret: String,
    job: String,
}

impl Hooked {
    async fn new() -> Self {
        let folder = folder();
        let (server, _) = serve(folder.path(), Rule::Open).await;
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let job = job(&it, "shop", &format!("{server}/app.git"), ("/", true)).await;
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        built(&app).await;
        assert_eq!(it.state(&job).await, "DEPLOYED");
        let path = format!("/organization/{}/pushHook", it.organization);
        let made = it.client.post(&path, json!({"name": "provider"})).await.expect(201);
        let secret = made["secret"].as_str().unwrap().to_owned();
        let hooked = Self { app, it, folder, hook: id(&made), secret, job };
        find_heads(&hooked.app.app, hooked.app.clock.now()).await.unwrap();
        assert_eq!(hooked.polled().await, 1, "the first poll only remembers");
        hooked
    }

    /// What is polled now.
    async fn polled(&self) -> usize {
        let count = deploy_pushed(&self.app.app, self.app.clock.now()).await.unwrap();
        self.app.settle().await;
        count
    }

    async fn send(&self, headers: &[(&str, String)], body: &str) -> Answer {
        deliver(&self.app, &self.hook, headers, body).await
    }

    async fn github(&self, event: &str, delivery: &str, payload: &Value) -> Answer {
        let body = payload.to_string();
        self.send(&self.signed(event, delivery, &body), &body).await
    }

    fn signed(&self, event: &str, delivery: &str, body: &str) -> Headers {
        of_github(&self.secret, event, delivery, body)
    }

    /// A push of GitHub to a branch of the repository of the job.
    fn push(branch: &str, commit: &str) -> Value {
        let mut payload = push(branch, commit, &["x"]);
        payload["repository"]["full_name"] = json!("app");
        payload
    }

    async fn deliveries(&self) -> Vec<Value> {
        let path = format!("/organization/{}/pushHook/{}/delivery", self.it.organization, self.hook);
        self.it.client.get(&path).await.expect(200)["results"].as_array().unwrap().clone()
    }
}

#[track_caller]
fn reason(answer: Answer) -> String {
    let body = answer.expect(200);
    assert_eq!(body["results"][0]["outcome"], "IGNORED", "{body}");
    body["results"][0]["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_push_that_any_provider_delivers_deploys_long_before_the_next_poll() {
    let it = Hooked::new().await;
    assert_eq!(it.polled().await, 0, "the next poll is not due");
    for provider in ["github", "gitlab", "bitbucket", "gitea"] {
        let commit = change(it.folder.path(), provider);
        let (event, mut payload) = match provider {
            "gitlab" => ("Push Hook", gitlab_push("main", &commit, &["x"])),
            "bitbucket" => ("repo:push", bitbucket_push("main", &commit)),
            _ => ("push", Hooked::push("main", &commit)),
        };
        match provider {
            "gitlab" => payload["project"]["path_with_namespace"] = json!("app"),
            "bitbucket" => payload["repository"]["full_name"] = json!("app"),
            _ => {}
        }
        let body = payload.to_string();
        let signed = signature(&it.secret, &body);
        let headers: Headers = match provider {
            "github" => it.signed(event, provider, &body),
            "gitlab" => vec![
                ("x-gitlab-event", event.into()),
                ("x-gitlab-event-uuid", provider.into()),
                ("x-gitlab-token", it.secret.clone()),
            ],
            "bitbucket" => vec![
                ("x-event-key", event.into()),
                ("x-request-uuid", provider.into()),
                ("x-hub-signature", format!("sha256={signed}")),
            ],
            _ => vec![
                ("x-gitea-event", event.into()),
                ("x-gitea-delivery", provider.into()),
                ("x-gitea-signature", signed),
            ],
        };
        let told = it.send(&headers, &body).await.expect(202);
        assert_eq!(told["results"][0]["polled_branches"], 1, "{told}");
        assert_eq!(told["results"][0]["commit"], commit.as_str(), "{told}");
        assert_eq!(it.polled().await, 1, "{provider}");
        assert_eq!(building(&it.app), [Some(commit)], "{provider}");
        built(&it.app).await;
        let text = it.send(&headers, &body).await.detail(409);
        assert!(text.contains("received before"), "{text}");
        assert_eq!(it.polled().await, 0, "a replay has nothing polled");
    }
    let providers: Vec<Value> = it.deliveries().await.iter().map(|row| row["provider"].clone()).collect();
    assert_eq!(providers, ["GITEA", "BITBUCKET", "GITLAB", "GITHUB"]);
}

/// A push that is taken back and made again has the same body at GitLab and Bitbucket.
#[tokio::test]
async fn a_push_that_is_made_again_is_no_replay() {
    let it = Hooked::new().await;
    let gitlab = |delivery: &str, before: &str, after: &str| {
        let mut payload = gitlab_push("main", after, &["x"]);
        (payload["before"], payload["project"]["path_with_namespace"]) = (json!(before), json!("app"));
        let headers: Headers = vec![
            ("x-gitlab-event", "Push Hook".into()),
            ("x-gitlab-event-uuid", delivery.into()),
            ("x-gitlab-token", it.secret.clone()),
        ];
        (headers, payload.to_string())
    };
    let bitbucket = |delivery: &str, before: &str, after: &str| {
        let mut payload = bitbucket_push("main", after);
        payload["repository"]["full_name"] = json!("app");
        payload["push"]["changes"][0]["old"]["target"]["hash"] = json!(before);
        let body = payload.to_string();
        let headers: Headers = vec![
            ("x-event-key", "repo:push".into()),
            ("x-request-uuid", delivery.into()),
            ("x-hub-signature", format!("sha256={}", signature(&it.secret, &body))),
        ];
        (headers, body)
    };
    let changes = [("1", OLD, NEW), ("2", NEW, OLD), ("3", OLD, NEW)];
    let of_gitlab = changes.map(|(delivery, before, after)| gitlab(delivery, before, after));
    let of_bitbucket = changes.map(|(delivery, before, after)| bitbucket(&format!("b{delivery}"), before, after));
    for (headers, body) in of_gitlab.into_iter().chain(of_bitbucket) {
        let told = it.send(&headers, &body).await.expect(202);
        assert_eq!(told["results"][0]["polled_branches"], 1, "{told}");
        assert_eq!(it.polled().await, 1);
    }
    let (headers, body) = bitbucket("b4", OLD, NEW);
    assert!(it.send(&headers, &body).await.detail(409).contains("received before"));
    let (headers, body) = gitlab("3", OLD, NEW);
    assert!(it.send(&headers, &body).await.detail(409).contains("received before"));
    assert_eq!((it.polled().await, it.deliveries().await.len()), (0, 6));
}

#[tokio::test]
async fn the_poll_decides_what_is_deployed() {
    let it = Hooked::new().await;
    let restriction = json!({"mode": "EXCLUDE", "type": "PATH", "value": "docs/"});
    it.it.client.post(&format!("/job/{}/deploymentRestriction", it.job), restriction).await.expect(201);
    let docs = change(it.folder.path(), "docs/a.md");
    it.github("push", "1", &Hooked::push("main", &docs)).await.expect(202);
    assert_eq!(it.polled().await, 1);
    assert_eq!(it.it.state(&it.job).await, "DEPLOYED", "an excluded path deploys nothing");
    // Two deliveries about the same commit deploy it once, and so do a delivery and the poll.
    let commit = change(it.folder.path(), "main.rs");
    it.github("push", "2", &Hooked::push("main", &commit)).await.expect(202);
    it.polled().await;
    assert_eq!(building(&it.app), [Some(commit.clone())]);
    built(&it.app).await;
    let mut again = Hooked::push("main", &commit);
    again["pusher"]["name"] = json!("somebody else");
    it.github("push", "3", &again).await.expect(202);
    assert_eq!(it.polled().await, 1);
    it.app.clock.forward(331);
    assert_eq!(it.polled().await, 1);
    assert_eq!(it.it.state(&it.job).await, "DEPLOYED");
    // A delivery that got lost is caught by the poll.
    let lost = change(it.folder.path(), "main.rs");
    it.app.clock.forward(331);
    assert_eq!(it.polled().await, 1);
    assert_eq!(building(&it.app), [Some(lost)]);
}

#[tokio::test]
async fn what_has_nothing_polled() {
    let it = Hooked::new().await;
    let commit = change(it.folder.path(), "main.rs");
    let next = it.github("push", "1", &Hooked::push("next", &commit)).await;
    let none = "no workspace that is polled follows it";
    assert_eq!(
        reason(next),
        format!("no deployed job with auto-deploy is built from the branch next of app, and {none}")
    );
    let other = it.github("push", "2", &push("main", &commit, &["x"])).await;
    assert_eq!(reason(other), format!("no deployed job with auto-deploy is built from acme/infra, and {none}"));
    let request = it.github("pull_request", "3", &pull_request("opened", 7, &commit, "acme/infra")).await;
    assert!(reason(request).contains("a pull request deploys nothing"));
    assert_eq!(reason(it.github("ping", "4", &json!({"zen": "x"})).await), "the webhook is set up");
    assert_eq!(reason(it.github("issues", "5", &json!({})).await), "the event issues brings no commits");
    let mut tag = Hooked::push("main", &commit);
    tag["ref"] = json!("refs/tags/v1");
    assert_eq!(reason(it.github("push", "6", &tag).await), "refs/tags/v1 is not a branch");
    assert_eq!(it.polled().await, 0);
    let shown = it.deliveries().await;
    assert_eq!((shown.len(), &shown[0]["outcome"], &shown[0]["polled_branches"]), (6, &json!("IGNORED"), &json!(0)));
}

#[tokio::test]
async fn what_is_not_signed_right_is_refused_and_forgotten() {
    let it = Hooked::new().await;
    let commit = change(it.folder.path(), "main.rs");
    let body = Hooked::push("main", &commit).to_string();
    let right = it.signed("push", "1", &body);
    let with = |place: usize, name: &'static str, value: &str| {
        let mut headers = right.clone();
        headers[place] = (name, value.to_owned());
        headers
    };
    let wrong = format!("sha256={}", signature("another secret", &body));
    for (headers, body, status, said) in [
        (with(2, "x-hub-signature-256", &wrong), body.as_str(), 401, "the signature is wrong"),
        (with(2, "x-other", ""), body.as_str(), 401, "not signed"),
        (with(1, "x-other", ""), body.as_str(), 400, "has no id"),
        (with(0, "x-other", ""), body.as_str(), 400, "X-GitHub-Event"),
        (right.clone(), "{}", 401, "the signature is wrong"),
        (it.signed("push", "1", "{"), "{", 400, ""),
        (it.signed("push", "1", "{\"ref\":\"\\u0000\"}"), "{\"ref\":\"\\u0000\"}", 400, ""),
    ] {
        let text = it.send(&headers, body).await.detail(status);
        assert!(text.contains(said), "{text}");
    }
    let mut form = right.clone();
    form.push(("content-type", "application/x-www-form-urlencoded".into()));
    assert!(it.send(&form, &body).await.detail(415).contains("application/json"));
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    assert!(it.send(&right, &large).await.detail(413).contains("4194304"));
    assert!(it.deliveries().await.is_empty());
    assert_eq!(it.polled().await, 0);
    for unknown in [uuid::Uuid::now_v7().to_string().as_str(), "nothing", "%00"] {
        assert_eq!(deliver(&it.app, unknown, &right, &body).await.status, 404, "{unknown}");
    }
    assert_eq!(it.app.client(None).raw_call("GET", &format!("/push/{}", it.hook), None, &[]).await.0, 405);
    // Nothing of what was refused is remembered. A hook takes ten deliveries at once, and then ten in each second.
    it.app.clock.forward(1);
    it.send(&right, &body).await.expect(202);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(it.send(&right, &body).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 9, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn an_accepted_push_is_not_lost_with_the_server() {
    let it = Hooked::new().await;
    let (db, now) = (&it.app.app.db, it.app.clock.now());
    let claim = async || {
        let until = now + TimeDelta::minutes(10);
        store::write(db, async |tx| store::push::claim_heads(tx, now, until, 10).await.map_err(Error::from))
            .await
            .unwrap()
    };
    let commit = change(it.folder.path(), "main.rs");
    it.github("push", "1", &Hooked::push("main", &commit)).await.expect(202);
    assert_eq!(claim().await.len(), 1);
    // What is delivered while the branch is being polled waits for the end of that poll.
    let newer = change(it.folder.path(), "main.rs");
    it.github("push", "2", &Hooked::push("main", &newer)).await.expect(202);
    assert!(claim().await.is_empty());
    // A server that begins anew on this database knows both.
    let restarted = it.app.restarted().await;
    store::write(&restarted.app.db, async |tx| store::push::release_heads(tx, now).await.map_err(Error::from))
        .await
        .unwrap();
    assert_eq!(deploy_pushed(&restarted.app, now).await.unwrap(), 1);
    restarted.settle().await;
    assert_eq!(it.it.state(&it.job).await, "BUILDING");
    assert_eq!(building(&restarted), [Some(newer)]);
    assert_eq!(deploy_pushed(&restarted.app, now).await.unwrap(), 0);
}

#[tokio::test]
async fn a_delivery_wakes_the_loop() {
    let it = Hooked::new().await;
    let end = CancellationToken::new();
    let polling = async {
        let commit = change(it.folder.path(), "main.rs");
        it.github("push", "1", &Hooked::push("main", &commit)).await.expect(202);
        wait_for("the deployment of the push", async || {
            it.app.settle().await;
            (building(&it.app) == [Some(commit.clone())]).then_some(())
        })
        .await;
        end.cancel();
    };
    tokio::join!(windlass::push::run(&it.app.app, end.clone()), polling);
}

#[tokio::test]
async fn a_server_that_polls_nothing_says_so() {
    let app = TestApp::configured(|config| config.auto_deploy_seconds = 0).await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/pushHook", it.organization);
    let made = it.client.post(&path, json!({"name": "provider"})).await.expect(201);
    let body = Hooked::push("main", NEW).to_string();
    let headers = of_github(made["secret"].as_str().unwrap(), "push", "1", &body);
    let answer = deliver(&app, &id(&made), &headers, &body).await;
    assert!(reason(answer).contains("--auto-deploy-seconds is 0"));
}

/// A server that is killed between a deployment and what it remembers of the branch neither loses the commit nor deploys it twice.
#[tokio::test]
async fn a_commit_is_deployed_and_remembered_at_once() {
    let it = Hooked::new().await;
    let deployments = async || {
        let path = format!("/environment/{}/deploymentHistoryV2", it.it.environment);
        it.it.client.get(&path).await.expect(200)["results"].as_array().unwrap().len()
    };
    let before = deployments().await;
    poison(&it.app, "UPDATE ON repository_head", "NEW.commit_id <> OLD.commit_id", Rejects::Statement).await;
    let commit = change(it.folder.path(), "main.rs");
    it.github("push", "1", &Hooked::push("main", &commit)).await.expect(202);
    it.polled().await;
    assert_eq!(deployments().await, before, "a deployment without what is remembered");
    cure(&it.app).await;
    it.app.clock.forward(601);
    assert_eq!(it.polled().await, 1);
    assert_eq!(building(&it.app), [Some(commit)]);
    built(&it.app).await;
    it.app.clock.forward(331);
    assert_eq!(it.polled().await, 1);
    assert_eq!(deployments().await, before + 1);
}
