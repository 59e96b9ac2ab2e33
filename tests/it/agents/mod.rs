//! Agents: processes of the program that take the steps of a cluster from a real server.

mod life;
mod losses;
mod protocol;
mod several_servers;
mod suite;
mod workspaces;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::harness::{database, wait_for};
use crate::server::Server;

/// A running agent; killed when dropped.
pub(crate) struct AgentProcess {
    child: Child,
    folder: PathBuf,
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl AgentProcess {
    /// Starts an agent with a data folder of its own.
    pub(crate) fn start(folder: &Path, url: &str, token: &str, words: &[&str]) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("agent.log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(["agent", "--url", url, "--log", "info"]).args(words).current_dir(folder);
        command.env("WINDLASS_AGENT_TOKEN", token).stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: command.spawn().unwrap(), folder: folder.to_owned() }
    }

    /// As `kill -9` does it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and returns its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        wait_for("the end of the agent", async || self.child.try_wait().unwrap()).await.code()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default()
    }
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server with a cluster of agents, and an environment on it.
pub(crate) struct Site {
    pub(crate) server: Option<Server>,
    pub(crate) folder: tempfile::TempDir,
    words: Vec<String>,
    pub(crate) organization: String,
    pub(crate) cluster: String,
    pub(crate) environment: String,
    registry: Value,
    /// The token of the agent, and its id.
    pub(crate) token: String,
    pub(crate) agent: String,
}

impl Site {
    pub(crate) async fn new(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut words: Vec<String> = ["serve", "--demo", "--runner", "process"].map(str::to_owned).into();
        words.extend(["--listen".to_owned(), format!("127.0.0.1:{}", free_port())]);
        if std::env::var("WINDLASS_TEST_DATABASE_URL").is_ok() {
            words.extend(["--database-url".to_owned(), database(&folder).await]);
        }
        words.extend(more.iter().map(|word| (*word).to_owned()));
        let server = Server::start(folder.path(), &refs(&words), None);
        let jobs = server.get(&server.jobs_path()).await;
        let registry = jobs["results"][0]["source"]["image"]["registry_id"].clone();
        let organization = text(&server.get("/organization").await["results"][0]["id"]);
        let mut site = Self {
            server: Some(server),
            folder,
            words,
            organization,
            cluster: String::new(),
            environment: String::new(),
            registry,
            token: String::new(),
            agent: String::new(),
        };
        let body = json!({"name": "factory", "region": "hall", "cloud_provider": "ON_PREMISE"});
        site.cluster = text(&site.made(&format!("/organization/{}/cluster", site.organization), body).await["id"]);
        (site.agent, site.token) = site.new_agent("first").await;
        let project = json!({"name": "machines"});
        let project = site.made(&format!("/organization/{}/project", site.organization), project).await;
        let body = json!({"name": "hall", "cluster": site.cluster});
        let path = format!("/project/{}/environment", text(&project["id"]));
        site.environment = text(&site.made(&path, body).await["id"]);
        site
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn agents_path(&self) -> String {
        format!("/organization/{}/cluster/{}/agent", self.organization, self.cluster)
    }

    /// A new agent of the cluster, with its token.
    pub(crate) async fn new_agent(&self, name: &str) -> (String, String) {
        let agent = self.made(&self.agents_path(), json!({"name": name})).await;
        (text(&agent["id"]), text(&agent["token"]))
    }

    /// Creates something.
    pub(crate) async fn made(&self, path: &str, body: Value) -> Value {
        let (status, body, text) = self.server().call("POST", path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        body
    }

    /// Starts the agent, as a plain process unless the words say otherwise.
    pub(crate) fn start_agent(&self, words: &[&str]) -> AgentProcess {
        let words: Vec<&str> = if words.is_empty() { vec!["--runner", "process"] } else { words.to_vec() };
        AgentProcess::start(&self.folder.path().join("agent"), &self.server().url, &self.token, &words)
    }

    /// Kills the server.
    pub(crate) fn kill_server(&mut self) -> String {
        self.server.take().unwrap().kill()
    }

    /// Starts it again at the same address.
    pub(crate) fn start_server(&mut self, token: &str) {
        self.server = Some(Server::start(self.folder.path(), &refs(&self.words), Some(token)));
    }

    pub(crate) fn words(&self) -> Vec<&str> {
        refs(&self.words)
    }

    /// A LIFECYCLE job with a script, changed by `change`, which is not deployed yet.
    pub(crate) async fn job(&self, script: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut body = json!({
            "name": format!("job {}", uuid::Uuid::now_v7()), "healthchecks": {}, "memory": 64,
            "source": {"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": self.registry}},
            "schedule": {"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", script]}},
        });
        change(&mut body);
        text(&self.made(&format!("/environment/{}/job", self.environment), body).await["id"])
    }

    pub(crate) async fn deploy(&self, job: &str) {
        let (status, _, text) = self.server().call("POST", &format!("/job/{job}/deploy"), Some(json!({}))).await;
        assert_eq!(status, 202, "{text}");
    }

    /// A job with a script, deployed.
    pub(crate) async fn deployed(&self, script: &str) -> String {
        let job = self.job(script, |_| {}).await;
        self.deploy(&job).await;
        job
    }

    pub(crate) async fn log(&self, run: &Value) -> String {
        self.server().call("GET", &format!("/run/{}/log", text(&run["id"])), None).await.2
    }

    /// Waits until the log of a run has a text.
    pub(crate) async fn logged(&self, run: &Value, part: &str) {
        wait_for("a line of the log", async || self.log(run).await.contains(part).then_some(())).await;
    }
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(crate) fn started(run: &Value) -> bool {
    run["started_at"].is_string()
}
