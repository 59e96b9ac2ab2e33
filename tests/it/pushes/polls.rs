//! Repositories that are polled, and changed paths that are read from them: with real repositories.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use windlass::push::{poll, read_waiting};

use super::payloads::{OLD, bitbucket_push, pull_request};
use super::{Followed, SECRET, signature};
use crate::git_server::git;
use crate::harness::TestApp;
use crate::terrakube::{change, detail};

/// A repository `acme/infra` on this machine.
pub(super) struct Repository(tempfile::TempDir);

impl Repository {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("acme/infra/net")).unwrap();
        let made = Self(folder);
        git(&made.path(), &["init", "-q"]);
        git(&made.path(), &["config", "uploadpack.allowFilter", "true"]);
        git(&made.path(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        made.commit("README");
        made
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.0.path().join("acme/infra")
    }

    /// Changes a file, and returns the commit.
    pub(super) fn commit(&self, file: &str) -> String {
        let path = self.path().join(file);
        // A checkout of another branch removes folders.
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, text + "more\n").unwrap();
        git(&self.path(), &["add", "."]);
        git(&self.path(), &["commit", "-q", "-m", file]);
        head(&self.path())
    }

    pub(super) async fn followed(&self) -> Followed {
        let app = TestApp::configured(|config| config.local_repositories = true).await;
        Followed::of(app, &format!("file://{}", self.path().display())).await
    }
}

pub(super) fn head(path: &Path) -> String {
    let done = Command::new("git").current_dir(path).args(["rev-parse", "HEAD"]).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Sets how often the repository is polled.
pub(super) async fn every(it: &Followed, seconds: serde_json::Value) -> crate::harness::Answer {
    let path = format!("/api/v1/webhook/{}", it.hook);
    it.house.client.patch(&path, change("webhook", &it.hook, json!({"pollSeconds": seconds}))).await
}

pub(super) async fn polled(it: &Followed) -> usize {
    let now = it.house.app.clock.now();
    let count = poll(&it.house.app.app, now).await.unwrap();
    read_waiting(&it.house.app.app, now).await.unwrap();
    count
}

pub(super) async fn jobs(it: &Followed) -> Vec<(String, String)> {
    let found = it.house.get("job?sort=id").await;
    let of = |job: &serde_json::Value, name: &str| job["attributes"][name].as_str().unwrap_or_default().to_owned();
    found["data"].as_array().unwrap().iter().map(|job| (of(job, "via"), of(job, "commitId"))).collect()
}

#[tokio::test]
async fn a_new_commit_is_found_once() {
    let repository = Repository::new();
    let it = repository.followed().await;
    it.event(json!({"event": "PUSH"})).await;
    for wrong in [59, 86_401] {
        assert!(detail(every(&it, json!(wrong)).await, 400).contains("between 60 and 86400"));
    }
    every(&it, json!(300)).await.expect(204);
    assert_eq!(polled(&it).await, 0, "not before the interval has passed");
    it.house.app.clock.forward(331);
    assert_eq!(polled(&it).await, 1);
    assert!(jobs(&it).await.is_empty(), "the first poll only remembers");
    let commit = repository.commit("net/main.tf");
    it.house.app.clock.forward(331);
    polled(&it).await;
    assert_eq!(jobs(&it).await, [("Poll".to_owned(), commit.clone())]);
    it.house.app.clock.forward(331);
    polled(&it).await;
    assert_eq!(jobs(&it).await.len(), 1, "nothing is new");
    // Another branch is not followed.
    git(&repository.path(), &["checkout", "-q", "-b", "next"]);
    repository.commit("net/next.tf");
    git(&repository.path(), &["checkout", "-q", "main"]);
    it.house.app.clock.forward(331);
    polled(&it).await;
    assert_eq!(jobs(&it).await.len(), 1);
    every(&it, json!(null)).await.expect(204);
    repository.commit("net/main.tf");
    it.house.app.clock.forward(331);
    assert_eq!(polled(&it).await, 0);
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_is_said() {
    let repository = Repository::new();
    let it = repository.followed().await;
    every(&it, json!(60)).await.expect(204);
    std::fs::remove_dir_all(repository.path()).unwrap();
    it.house.app.clock.forward(67);
    polled(&it).await;
    let row = it.house.client.get(&format!("/api/v1/webhook/{}", it.hook)).await.expect(200);
    assert!(row["data"]["attributes"]["pollError"].as_str().unwrap().contains("was not found"), "{row}");
}

#[tokio::test]
async fn paths_that_no_provider_lists_are_read_from_the_repository() {
    let repository = Repository::new();
    let it = repository.followed().await;
    it.event(json!({"event": "PUSH", "path": "net/.*"})).await;
    it.event(json!({"event": "PULL_REQUEST", "branch": "main", "path": "net/.*"})).await;
    let before = head(&repository.path());
    let docs = repository.commit("docs.md");
    let send = async |delivery: &str, before: &str, commit: &str| {
        let mut payload = bitbucket_push("main", commit);
        payload["push"]["changes"][0]["old"]["target"]["hash"] = json!(before);
        let body = payload.to_string();
        let signed = format!("sha256={}", signature(SECRET, &body));
        let headers =
            [("x-event-key", "repo:push"), ("x-request-uuid", delivery), ("x-hub-signature", signed.as_str())];
        Followed::result(it.send(&headers, &body).await, 202)
    };
    assert_eq!(send("1", &before, &docs).await.0, "WAITING");
    read_waiting(&it.house.app.app, it.house.app.clock.now()).await.unwrap();
    assert!(jobs(&it).await.is_empty());
    let net = repository.commit("net/main.tf");
    send("2", &docs, &net).await;
    read_waiting(&it.house.app.app, it.house.app.clock.now()).await.unwrap();
    assert_eq!(jobs(&it).await, [("Bitbucket".to_owned(), net.clone())]);
    // A pull request counts from where its branch began.
    git(&repository.path(), &["checkout", "-q", "-b", "more", &docs]);
    let only_docs = repository.commit("docs.md");
    let open = |commit: &str| {
        let mut payload = pull_request("opened", 7, commit, "acme/infra");
        payload["pull_request"]["base"]["sha"] = json!(net);
        payload
    };
    assert_eq!(it.github("pull_request", "3", &open(&only_docs)).await.status, 202);
    read_waiting(&it.house.app.app, it.house.app.clock.now()).await.unwrap();
    assert_eq!(jobs(&it).await.len(), 1);
    let more = repository.commit("net/more.tf");
    it.github("pull_request", "4", &open(&more)).await;
    read_waiting(&it.house.app.app, it.house.app.clock.now()).await.unwrap();
    assert_eq!(jobs(&it).await[1], ("Github".to_owned(), more));
    let rows = windlass::store::push::list(
        &it.house.app.app.db,
        it.workspace.parse().map(entity::id::WorkspaceId).unwrap(),
        10,
    )
    .await
    .unwrap();
    let reasons: Vec<_> = rows.iter().rev().map(|row| row.reason.as_deref()).collect();
    let none = Some("none of the changed paths is followed");
    assert_eq!(reasons, [none, None, none, None]);
}

#[tokio::test]
async fn paths_that_cannot_be_read_count_as_changed() {
    let repository = Repository::new();
    let it = repository.followed().await;
    it.event(json!({"event": "PUSH", "path": "net/.*"})).await;
    let mut payload = bitbucket_push("main", "1111111111111111111111111111111111111111");
    payload["push"]["changes"][0]["old"]["target"]["hash"] = json!(OLD);
    let body = payload.to_string();
    let signed = format!("sha256={}", signature(SECRET, &body));
    let headers = [("x-event-key", "repo:push"), ("x-request-uuid", "1"), ("x-hub-signature", signed.as_str())];
    it.send(&headers, &body).await.expect(202);
    for expected in [0, 0, 0, 1] {
        read_waiting(&it.house.app.app, it.house.app.clock.now()).await.unwrap();
        assert_eq!(jobs(&it).await.len(), expected);
        it.house.app.clock.forward(121);
    }
}
