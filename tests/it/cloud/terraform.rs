//! The programs themselves, over the TLS of the server: workspaces, states and locks from a `cloud` block and the `remote` backend.
//!
//! Plans run on the machine of the test, because the workspaces have the execution mode `local`.

use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::{Certificate, Client};
use serde_json::{Value, json};

use crate::server::Server;
use crate::tls::certificate;

/// The programs that this machine has.
pub(super) fn programs() -> Vec<PathBuf> {
    let found = crate::terrakube::terraform::tools().into_iter().map(|(folder, tool)| match folder {
        Some(folder) if folder.join(tool).is_file() => folder.join(tool),
        Some(folder) => folder.join(tool).join(tool),
        None => PathBuf::from("/usr/local/bin").join(tool),
    });
    found.filter(|path| path.is_file()).collect()
}

/// A server with TLS, and a program that trusts its certificate.
pub(super) struct Desk {
    pub(super) server: Server,
    pub(super) folder: tempfile::TempDir,
    program: PathBuf,
    pub(super) host: String,
    client: Client,
}

impl Desk {
    pub(super) fn new(program: PathBuf) -> Self {
        Self::with(program, &[])
    }

    /// With a server that carries plans out: it has the programs, knows the name by which they reach it, and trusts its own certificate.
    pub(super) fn with_runs(program: PathBuf) -> Self {
        Self::with_runs_at(program, "localhost")
    }

    /// The same under another name of this machine.
    pub(super) fn with_runs_at(program: PathBuf, name: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut words = vec!["--listen".to_owned(), address.to_string(), "--local-repositories".to_owned()];
        words.extend(["--public-url".to_owned(), format!("https://{name}:{}", address.port())]);
        if let Some((Some(folder), _)) = crate::terrakube::terraform::tools().into_iter().next() {
            words.extend(["--tools".to_owned(), folder.display().to_string()]);
        }
        Self::with(program, &words)
    }

    pub(super) fn with(program: PathBuf, more: &[String]) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (pem, key) = certificate();
        let cert = folder.path().join("cert.pem");
        std::fs::write(&cert, &pem).unwrap();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(["serve", "--runner", "process", "--tls-certificate", "cert.pem", "--tls-key", "key.pem"]);
        command.args(more).env("SSL_CERT_FILE", &cert);
        let server = Server::start_by(folder.path(), command, None);
        let host = format!("localhost:{}", server.url.rsplit(':').next().unwrap());
        let config =
            format!("disable_checkpoint = true\ncredentials \"{host}\" {{\n  token = \"{}\"\n}}\n", server.token);
        std::fs::write(folder.path().join("cli.tfrc"), config).unwrap();
        let client =
            Client::builder().tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]).build().unwrap();
        Self { server, folder, program, host, client }
    }

    /// Writes a root module whose state is kept as `settings` say.
    pub(super) fn module(&self, name: &str, settings: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "terraform {{\n{settings}\n}}\nvariable \"word\" {{ default = \"hello\" }}\n\
             resource \"terraform_data\" \"first\" {{ input = var.word }}\n\
             output \"word\" {{ value = terraform_data.first.output }}\n\
             output \"secret\" {{\n  value     = \"hidden-${{var.word}}\"\n  sensitive = true\n}}\n"
        );
        std::fs::write(folder.join("main.tf"), text).unwrap();
        folder
    }

    pub(super) fn cloud(&self, workspaces: &str) -> String {
        format!(
            "  cloud {{\n    hostname = \"{}\"\n    organization = \"windlass\"\n    workspaces {{ {workspaces} }}\n  }}",
            self.host
        )
    }

    pub(super) fn remote(&self, workspaces: &str) -> String {
        format!(
            "  backend \"remote\" {{\n    hostname = \"{}\"\n    organization = \"windlass\"\n    workspaces {{ {workspaces} }}\n  }}",
            self.host
        )
    }

    /// The program with these words, ready to be called.
    pub(super) fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path());
        command.env("TF_CLI_CONFIG_FILE", self.folder.path().join("cli.tfrc")).env("TF_IN_AUTOMATION", "1");
        command.env("SSL_CERT_FILE", self.folder.path().join("cert.pem")).env("CHECKPOINT_DISABLE", "1");
        command
    }

    /// Calls the program; returns whether it succeeded, and what it wrote.
    pub(super) fn call(&self, folder: &Path, words: &[&str]) -> (bool, String) {
        let output = self.command(folder, words).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    }

    #[track_caller]
    pub(super) fn run(&self, folder: &Path, words: &[&str]) -> String {
        let (succeeded, text) = self.call(folder, words);
        assert!(succeeded, "{} {}:\n{text}", self.program.display(), words.join(" "));
        text
    }

    #[track_caller]
    pub(super) fn fail(&self, folder: &Path, words: &[&str]) -> String {
        let (succeeded, text) = self.call(folder, words);
        assert!(!succeeded, "{} {} succeeded:\n{text}", self.program.display(), words.join(" "));
        text
    }

    pub(super) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("https://{}{path}", self.host));
        let request = request.bearer_auth(&self.server.token);
        let request = match body {
            Some(body) => request.header("Content-Type", "application/vnd.api+json").body(body.to_string()),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// Plans of new workspaces run where the program is called.
    async fn run_locally(&self) {
        let (_, organizations) = self.api("GET", "/api/v1/organization", None).await;
        let id = organizations["data"][0]["id"].as_str().unwrap();
        let change = crate::terrakube::change("organization", id, json!({"executionMode": "local"}));
        assert_eq!(self.api("PATCH", &format!("/api/v1/organization/{id}"), Some(change)).await.0, 204);
    }

    pub(super) async fn workspace(&self, name: &str) -> Value {
        let (status, body) = self.api("GET", &format!("/api/v2/organizations/windlass/workspaces/{name}"), None).await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_workspace_of_a_cloud_block() {
    for program in programs() {
        let desk = Desk::new(program);
        desk.run_locally().await;
        let folder = desk.module("named", &desk.cloud("name = \"network\""));
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "hello");
        assert_eq!(desk.run(&folder, &["output", "-raw", "secret"]), "hidden-hello");
        assert_eq!(desk.run(&folder, &["state", "list"]).trim(), "terraform_data.first");
        desk.run(&folder, &["state", "mv", "terraform_data.first", "terraform_data.second"]);
        let pulled = desk.run(&folder, &["state", "pull"]);
        assert!(pulled.contains("\"second\""), "{pulled}");
        desk.run(&folder, &["state", "mv", "terraform_data.second", "terraform_data.first"]);
        // An older state is refused, also a forced one, of which the programs do not tell. What the refusal advises works.
        std::fs::write(folder.join("old.tfstate"), &pulled).unwrap();
        desk.run(&folder, &["state", "mv", "terraform_data.first", "terraform_data.third"]);
        desk.run(&folder, &["state", "mv", "terraform_data.third", "terraform_data.first"]);
        for words in [&["state", "push", "old.tfstate"][..], &["state", "push", "-force", "old.tfstate"]] {
            let refused = desk.fail(&folder, words);
            let refused = refused.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
            assert!(refused.contains("serial: the stored state has") || words.len() == 3, "{refused}");
            assert!(!refused.contains("push it with -force"), "{refused}");
            desk.call(&folder, &["force-unlock", "-force", "windlass/network"]);
        }
        let workspace = desk.workspace("network").await;
        let organization =
            desk.api("GET", "/api/v1/organization", None).await.1["data"][0]["id"].as_str().unwrap().to_owned();
        let import = format!(
            "/tfstate/v1/organization/{organization}/workspace/{}/import?force=true",
            workspace["id"].as_str().unwrap()
        );
        let stored = desk.api("POST", &import, Some(serde_json::from_str(&pulled).unwrap())).await;
        assert!((200..300).contains(&stored.0), "{stored:?}");
        assert!(desk.run(&folder, &["state", "list"]).contains("second"));
        // Somebody else's lock is respected, and can be broken.
        let workspace = desk.workspace("network").await;
        assert_eq!(workspace["attributes"]["locked"], false);
        let lock = format!("/api/v2/workspaces/{}/actions/lock", workspace["id"].as_str().unwrap());
        assert_eq!(desk.api("POST", &lock, Some(json!({"reason": "audit"}))).await.0, 200);
        let refused = desk.fail(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert!(refused.contains("already locked"), "{refused}");
        desk.run(&folder, &["force-unlock", "-force", "windlass/network"]);
        desk.run(&folder, &["destroy", "-auto-approve", "-input=false", "-no-color"]);
        assert_eq!(desk.run(&folder, &["state", "list"]).trim(), "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workspaces_by_tags() {
    for program in programs() {
        let desk = Desk::new(program);
        desk.run_locally().await;
        let folder = desk.module("tagged", &desk.cloud("tags = [\"app\"]"));
        let other = super::document("workspaces", json!({"name": "other"}));
        assert_eq!(desk.api("POST", "/api/v2/organizations/windlass/workspaces", Some(other)).await.0, 201);
        let mut made = super::document("workspaces", json!({"name": "app-eu"}));
        made["data"]["relationships"] = json!({"tags": {"data": [{"type": "tags", "attributes": {"name": "app"}}]}});
        assert_eq!(desk.api("POST", "/api/v2/organizations/windlass/workspaces", Some(made)).await.0, 201);
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        desk.run(&folder, &["workspace", "new", "app-us"]);
        let list = desk.run(&folder, &["workspace", "list"]);
        assert!(list.contains("app-eu") && list.contains("* app-us") && !list.contains("other"), "{list}");
        assert_eq!(desk.workspace("app-us").await["attributes"]["tag-names"], json!(["app"]));
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        desk.run(&folder, &["workspace", "select", "app-eu"]);
        let refused = desk.fail(&folder, &["workspace", "delete", "app-us"]);
        assert!(refused.contains("app-us"), "{refused}");
        desk.run(&folder, &["workspace", "select", "app-us"]);
        desk.run(&folder, &["destroy", "-auto-approve", "-input=false", "-no-color"]);
        desk.run(&folder, &["workspace", "select", "app-eu"]);
        desk.run(&folder, &["workspace", "delete", "app-us"]);
        let (_, list) = desk.api("GET", "/api/v2/organizations/windlass/workspaces?search[tags]=app", None).await;
        assert_eq!(list["meta"]["pagination"]["total-count"], 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_state_is_moved_by_init() {
    for program in programs() {
        let desk = Desk::new(program);
        desk.run_locally().await;
        let folder = desk.module("moved", "");
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        desk.module("moved", &desk.remote("name = \"moved\""));
        desk.run(&folder, &["init", "-input=false", "-no-color", "-migrate-state", "-force-copy"]);
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "hello");
        assert_eq!(desk.run(&folder, &["state", "list"]).trim(), "terraform_data.first");
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color", "-var", "word=again"]);
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "again");
        let workspace = desk.workspace("moved").await;
        assert_eq!(workspace["attributes"]["locked"], false);
        // Workspaces by a prefix of their names.
        let folder = desk.module("prefixed", &desk.remote("prefix = \"app-\""));
        let made = super::document("workspaces", json!({"name": "app-eu"}));
        assert_eq!(desk.api("POST", "/api/v2/organizations/windlass/workspaces", Some(made)).await.0, 201);
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        desk.run(&folder, &["workspace", "new", "us"]);
        let list = desk.run(&folder, &["workspace", "list"]);
        assert!(list.contains("eu") && list.contains("* us"), "{list}");
        desk.run(&folder, &["workspace", "select", "eu"]);
        desk.run(&folder, &["workspace", "delete", "us"]);
    }
}
