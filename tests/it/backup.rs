//! Backup and restore as docs/operations.md describes them: a copy that was made while a server ran, with its key file,
//! is a whole installation.

use std::path::Path;
use std::process::Command;

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use windlass::store;

use crate::server::Server;

/// Something that is sealed, and that its owner can read again.
fn kubeconfig() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "one", "user": {"token": "sealed in the database"}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    })
}

/// Stores it; answers the path where it is read.
async fn seal(server: &Server) -> String {
    let (_, organizations, _) = server.call("GET", "/organization", None).await;
    let path = format!("/organization/{}/cluster", organizations["results"][0]["id"].as_str().unwrap());
    let body = json!({"name": "one", "region": "eu", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
    let (status, cluster, text) = server.call("POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{text}");
    let path = format!("{path}/{}/kubeconfig", cluster["id"].as_str().unwrap());
    let (status, _, text) = server.call("PUT", &path, Some(kubeconfig())).await;
    assert_eq!(status, 204, "{text}");
    path
}

fn run(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A copy of the database of a running server, in `to`; answers its address.
async fn copied(url: &str, to: &Path) -> String {
    let file = to.join("copy");
    if url.starts_with("sqlite") {
        let db = store::connect(url, 1).await.unwrap();
        db.execute_unprepared(&format!("VACUUM INTO '{}'", file.display())).await.unwrap();
        db.close().await.unwrap();
        return format!("sqlite://{}?mode=rwc", file.display());
    }
    let file = file.display().to_string();
    run("pg_dump", &["--format=custom", "--file", &file, url]);
    let folder = tempfile::tempdir().unwrap();
    let copy = crate::harness::database(&folder).await;
    run("pg_restore", &["--exit-on-error", "--no-owner", "--dbname", &copy, &file]);
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_with_its_key_is_a_whole_installation() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = crate::harness::database(&first).await;
    let server = Server::start(first.path(), &["--runner", "process", "--database-url", &url], None);
    let path = seal(&server).await;
    let copy = copied(&url, second.path()).await;
    // What comes after the copy is not in it.
    let (_, _, before) = server.call("GET", &path, None).await;
    let later = seal_later(&server, &path).await;
    assert_ne!(before, later);
    let token = server.kill();
    let data = second.path().join("windlass-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(first.path().join("windlass-data/secret.key"), data.join("secret.key")).unwrap();
    let restored = Server::start(second.path(), &["--runner", "process", "--database-url", &copy], Some(&token));
    let (status, _, text) = restored.call("GET", &path, None).await;
    assert_eq!((status, text), (200, before), "the token, the cluster and what is sealed are there");
}

/// Changes what is sealed.
async fn seal_later(server: &Server, path: &str) -> String {
    let mut body = kubeconfig();
    body["users"][0]["user"]["token"] = json!("another one");
    let (status, _, text) = server.call("PUT", path, Some(body)).await;
    assert_eq!(status, 204, "{text}");
    server.call("GET", path, None).await.2
}
