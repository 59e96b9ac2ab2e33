//! `windlass backup` and `windlass restore`: a backup that was made while a server ran is, with its keys, a whole installation.

mod refusals;
mod round_trip;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

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

/// What a command of the program said.
struct Said {
    is_well: bool,
    /// Both outputs.
    text: String,
}

impl Said {
    #[track_caller]
    fn well(self) -> String {
        assert!(self.is_well, "{}", self.text);
        self.text
    }

    #[track_caller]
    fn refused(self, why: &str) {
        assert!(!self.is_well && self.text.contains(why), "{}", self.text);
    }
}

/// Runs a command on the database at `url`, whose key file is in `data`.
fn windlass(data: &Path, url: &str, words: &[&str]) -> Said {
    windlass_with(data, url, words, None)
}

fn windlass_with(data: &Path, url: &str, words: &[&str], passphrase: Option<&str>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(words).arg("--data-dir").arg(data).env("WINDLASS_DATABASE_URL", url).env("WINDLASS_LOG", "warn");
    if let Some(passphrase) = passphrase {
        command.env("WINDLASS_BACKUP_PASSPHRASE", passphrase);
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Said { is_well: output.status.success(), text: String::from_utf8(text).unwrap() }
}

/// The address of a new database in a file.
fn sqlite_in(folder: &Path) -> String {
    format!("sqlite://{}?mode=rwc", folder.join("windlass.db").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_with_its_key_is_a_whole_installation() {
    const PASSPHRASE: &str = "three words of a passphrase";
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = crate::harness::database(&first).await;
    let server = Server::start(first.path(), &["--runner", "process", "--database-url", &url], None);
    let path = seal(&server).await;
    let file = second.path().join("backup").display().to_string();
    let own = first.path().join("windlass-data");
    let said = windlass_with(&own, &url, &["backup", "--with-key", &file], Some(PASSPHRASE)).well();
    assert!(said.contains("included, under the passphrase"), "{said}");
    // What comes after the copy is not in it.
    let (_, _, before) = server.call("GET", &path, None).await;
    let later = seal_later(&server, &path).await;
    assert_ne!(before, later);
    let token = server.kill();
    let data = second.path().join("windlass-data");
    let copy = crate::harness::database(&second).await;
    let words = ["restore", &file];
    windlass(&data, &copy, &words).refused("is missing, and the backup has the key");
    windlass_with(&data, &copy, &words, Some("another passphrase"))
        .refused("the passphrase is not that of the keys in the backup");
    assert!(!data.join("secret.key").exists(), "nothing was written");
    windlass_with(&data, &copy, &words, Some(PASSPHRASE)).well();
    let key = |folder: &Path| std::fs::read_to_string(folder.join("secret.key")).unwrap();
    assert_eq!(key(&data), key(&own));
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
