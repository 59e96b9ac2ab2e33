//! What is delivered to a push hook has the repositories of workspaces polled at once, and a poll handles each commit once.

use entity::id::WorkspaceWebhookId;
use entity::member::Role;
use entity::workspace_webhook;
use serde_json::{Value, json};
use windlass::error::Error;
use windlass::push::LEASE;
use windlass::store;

use super::payloads::push;
use super::polls::{Repository, every, head, jobs, polled};
use super::{Followed, deliver, of_github};
use crate::engine::poison::{Rejects, cure, poison};
use crate::git_server::git;
use crate::harness::{Client, id};

/// A push hook of an organization.
struct PushHook {
    id: String,
    secret: String,
}

impl PushHook {
    async fn new(client: &Client, organization: &str) -> Self {
        let path = format!("/organization/{organization}/pushHook");
        let made = client.post(&path, json!({"name": "provider"})).await.expect(201);
        Self { id: id(&made), secret: made["secret"].as_str().unwrap().to_owned() }
    }

    /// What comes of a push of GitHub to a branch of the repository.
    async fn hears(&self, it: &Followed, branch: &str, commit: &str) -> Value {
        let delivery = uuid::Uuid::now_v7().to_string();
        // Each body differs, since a replay is refused.
        let body = push(branch, commit, &[delivery.as_str()]).to_string();
        let headers = of_github(&self.secret, "push", &delivery, &body);
        let answer = deliver(&it.house.app, &self.id, &headers, &body).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
        answer.body["results"][0].clone()
    }
}

/// A workspace whose repository is polled once a day, and was polled once.
async fn daily(repository: &Repository) -> (Followed, PushHook) {
    let it = repository.followed().await;
    it.event(json!({"event": "PUSH"})).await;
    every(&it, json!(86_400)).await.expect(204);
    let hook = PushHook::new(&it.house.client, &it.house.organization.to_string()).await;
    let told = hook.hears(&it, "main", &head(&repository.path())).await;
    assert_eq!((&told["outcome"], &told["polled_branches"]), (&json!("ACCEPTED"), &json!(1)), "{told}");
    assert_eq!(polled(&it).await, 1);
    assert!(jobs(&it).await.is_empty(), "the first poll only remembers");
    (it, hook)
}

#[tokio::test]
async fn a_delivery_has_the_repository_of_a_workspace_polled_at_once() {
    let repository = Repository::new();
    let (it, hook) = daily(&repository).await;
    assert_eq!(polled(&it).await, 0, "the next poll is tomorrow");
    let commit = repository.commit("net/main.tf");
    hook.hears(&it, "main", &commit).await;
    assert_eq!(polled(&it).await, 1);
    assert_eq!(jobs(&it).await, [("Poll".to_owned(), commit.clone())]);
    hook.hears(&it, "main", &commit).await;
    assert_eq!(polled(&it).await, 1);
    assert_eq!(jobs(&it).await.len(), 1, "two deliveries of a commit start one job");
    // What the webhook does not follow has nothing polled, and neither has the hook of somebody else.
    let reason = |told: Value| {
        assert_eq!((&told["outcome"], &told["polled_branches"]), (&json!("IGNORED"), &json!(0)), "{told}");
        told["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason(hook.hears(&it, "next", &commit).await).ends_with("no workspace that is polled follows it"));
    let other = it.house.app.organization("other").await;
    let stranger = it.house.app.token(other, Role::Admin).await;
    let strange = PushHook::new(&stranger, &other.to_string()).await;
    reason(strange.hears(&it, "main", &commit).await);
    every(&it, json!(null)).await.expect(204);
    reason(hook.hears(&it, "main", &commit).await);
    assert_eq!(polled(&it).await, 0);
    // The events of the webhook say what it follows.
    every(&it, json!(86_400)).await.expect(204);
    it.event(json!({"event": "PUSH", "branch": "release/.*"})).await;
    git(&repository.path(), &["checkout", "-q", "-b", "release/1"]);
    let release = repository.commit("net/release.tf");
    hook.hears(&it, "release/1", &release).await;
    assert_eq!(polled(&it).await, 1);
    assert_eq!(jobs(&it).await[1], ("Poll".to_owned(), release));
}

fn webhook(it: &Followed) -> WorkspaceWebhookId {
    WorkspaceWebhookId(it.hook.parse().unwrap())
}

/// A server that is killed between a job and what it remembers of the repository neither loses the commit nor starts a second job.
#[tokio::test]
async fn a_commit_is_handled_and_remembered_at_once() {
    let repository = Repository::new();
    let (it, hook) = daily(&repository).await;
    let commit = repository.commit("net/main.tf");
    hook.hears(&it, "main", &commit).await;
    let remembers = "CAST(NEW.polled AS TEXT) <> CAST(OLD.polled AS TEXT)";
    poison(&it.house.app, "UPDATE ON workspace_webhook", remembers, Rejects::Statement).await;
    polled(&it).await;
    assert!(jobs(&it).await.is_empty(), "a job without what is remembered");
    cure(&it.house.app).await;
    assert_eq!(polled(&it).await, 0, "the poll is still taken");
    it.house.app.clock.forward(LEASE.num_seconds() + 1);
    assert_eq!(polled(&it).await, 1);
    assert_eq!(jobs(&it).await, [("Poll".to_owned(), commit)]);
    it.house.app.clock.forward(LEASE.num_seconds() + 1);
    assert_eq!(polled(&it).await, 0, "the next poll is tomorrow");
}

/// What a killed server has begun, the next one begins anew; what is delivered during a poll is polled after it.
#[tokio::test]
async fn a_poll_that_was_begun_is_made_again() {
    let repository = Repository::new();
    let (it, hook) = daily(&repository).await;
    let commit = repository.commit("net/main.tf");
    hook.hears(&it, "main", &commit).await;
    let (db, now) = (&it.house.app.app.db, it.house.app.clock.now());
    let claim = async || {
        let row = store::push::by_id(db, webhook(&it)).await.unwrap().unwrap();
        assert!(row.next_poll_at.is_some_and(|at| at <= now), "{row:?}");
        let row = workspace_webhook::Model { next_poll_at: Some(now + LEASE), ..row };
        store::row::update(db, row).await.unwrap();
    };
    claim().await;
    assert_eq!(polled(&it).await, 0, "another server polls it");
    store::write(db, async |tx| store::push::release_polls(tx, now, now + LEASE).await.map_err(Error::from))
        .await
        .unwrap();
    claim().await;
    hook.hears(&it, "main", &commit).await;
    assert_eq!(polled(&it).await, 1);
    assert_eq!(jobs(&it).await, [("Poll".to_owned(), commit)]);
}
