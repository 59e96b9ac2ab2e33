//! A real server runs OpenTofu and Terraform with configurations that download no provider.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{new, tcl};
use crate::git_server::git;
use crate::runner::needed;
use crate::server::Server;

/// The available programs: OpenTofu from the folder of the tests, and Terraform if the machine has it.
pub(crate) fn tools() -> Vec<(Option<PathBuf>, &'static str)> {
    let tofu = needed("WINDLASS_TEST_TOOLS").map(|folder| (Some(PathBuf::from(folder)), "tofu"));
    let terraform = Path::new("/usr/local/bin/terraform").exists().then_some((None, "terraform"));
    tofu.into_iter().chain(terraform).collect()
}

const INFRA: &str = r#"
variable "who" { type = string }
variable "sizes" {
  type    = list(number)
  default = []
}
variable "seconds" {
  type    = number
  default = 0
}
variable "fails" {
  type    = bool
  default = false
}
resource "terraform_data" "first" {
  input = "${var.who}-${length(var.sizes)}"
}
resource "terraform_data" "slow" {
  count      = var.seconds > 0 ? 1 : 0
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo waiting > ${path.root}/started; sleep ${var.seconds}"
  }
}
resource "terraform_data" "last" {
  count      = var.fails ? 1 : 0
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "exit 7" }
}
output "who" { value = terraform_data.first.output }
"#;

/// A server with an organization, and a repository on its machine.
pub(crate) struct Site {
    server: Option<Server>,
    pub(super) folder: tempfile::TempDir,
    pub(crate) organization: String,
    tool: &'static str,
    words: Vec<String>,
}

pub(crate) fn client() -> reqwest::Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Site {
    /// Uses OpenTofu, if it is available.
    pub(super) async fn new() -> Option<Self> {
        let (folder, tool) = tools().into_iter().next()?;
        Some(Self::with(folder, tool, &["--runner", "process"]).await)
    }

    pub(crate) async fn with(tools: Option<PathBuf>, tool: &'static str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        std::fs::create_dir_all(repository.join("infra")).unwrap();
        std::fs::write(repository.join("infra/main.tf"), INFRA).unwrap();
        git(&repository, &["init", "-q"]);
        git(&repository, &["add", "."]);
        git(&repository, &["commit", "-q", "-m", "first"]);
        let mut words: Vec<String> = ["serve", "--local-repositories"].map(str::to_owned).into();
        words.extend(more.iter().map(|word| (*word).to_owned()));
        if let Some(tools) = tools {
            words.extend(["--tools".to_owned(), tools.display().to_string()]);
        }
        let refs: Vec<&str> = words.iter().map(String::as_str).collect();
        let server = Server::start(folder.path(), &refs, None);
        let mut site = Self { server: Some(server), folder, organization: String::new(), tool, words };
        let found = site.get("/api/v1/organization").await;
        site.organization = found["data"][0]["id"].as_str().unwrap().to_owned();
        site
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks the server to end, waits until it has, and starts it again.
    pub(super) fn shut_down_and_restart(&mut self) {
        let server = self.server.take().unwrap();
        server.terminate();
        let (code, token) = server.ended();
        assert_eq!(code, Some(0));
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        self.server = Some(Server::start(self.folder.path(), &words, Some(&token)));
    }

    /// Kills the server and starts it again.
    pub(crate) fn restart(&mut self) {
        let token = self.server.take().unwrap().kill();
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        self.server = Some(Server::start(self.folder.path(), &words, Some(&token)));
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        let server = self.server();
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", server.url) };
        let mut request = client().request(method.parse().unwrap(), url).bearer_auth(&server.token);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/vnd.api+json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Calls the Qovery-compatible API; a text is sent as YAML.
    pub(crate) async fn main(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let server = self.server();
        let mut request = client().request(method.parse().unwrap(), format!("{}{path}", server.url));
        request = request.header("Authorization", format!("Token {}", server.token));
        request = match body {
            Some(Value::String(text)) => request.header("Content-Type", "application/x-yaml").body(text),
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A page of the console, as the owner of the token sees it.
    pub(crate) async fn page(&self, path: &str) -> String {
        let server = self.server();
        let quiet = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let sign_in = quiet.post(format!("{}/console/sign-in", server.url)).body(format!("token={}", server.token));
        let signed_in = sign_in.header("Content-Type", "application/x-www-form-urlencoded").send().await.unwrap();
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let page = quiet.get(format!("{}{path}", server.url)).header("Cookie", cookie).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        page.text().await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, text) = self.send("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn post(&self, rest: &str, body: Value) -> String {
        let path = format!("/api/v1/organization/{}/{rest}", self.organization);
        let (status, text) = self.send("POST", &path, Some(body)).await;
        assert_eq!(status, 201, "{text}");
        super::id(&serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn workspace(&self, variables: &[(&str, &str, bool)]) -> String {
        let source = format!("file://{}", self.folder.path().join("repository").display());
        let attributes = json!({
            "name": format!("w{}", uuid::Uuid::now_v7()), "source": source, "branch": "main", "folder": "infra", "iacType": self.tool,
        });
        let id = self.post("workspace", new("workspace", attributes)).await;
        for (key, value, hcl) in variables {
            let attributes =
                json!({"key": key, "value": value, "hcl": hcl, "category": "TERRAFORM", "sensitive": *key == "who"});
            self.post(&format!("workspace/{id}/variable"), new("variable", attributes)).await;
        }
        id
    }

    pub(crate) async fn job(&self, workspace: &str, flow: &str) -> String {
        self.job_with(workspace, json!({"tcl": tcl(flow)})).await
    }

    pub(super) async fn job_with(&self, workspace: &str, attributes: Value) -> String {
        let mut body = new("job", attributes);
        body["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        self.post("job", body).await
    }

    /// The job, once it has one of these statuses.
    pub(crate) async fn until(&self, job: &str, statuses: &[&str]) -> Value {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let path = format!("/api/v1/organization/{}/job/{job}?include=step", self.organization);
            let body = self.get(&path).await;
            let status = body["data"]["attributes"]["status"].as_str().unwrap();
            if statuses.contains(&status) {
                return body;
            }
            let ended = ["completed", "failed", "cancelled", "rejected"].contains(&status);
            assert!(!ended && Instant::now() < deadline, "{status}\n{}", self.logs(&body).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn logs(&self, job: &Value) -> String {
        let mut text = job["data"]["attributes"]["output"].as_str().unwrap_or_default().to_owned();
        for step in job["included"].as_array().into_iter().flatten() {
            if let Some(output) = step["attributes"]["output"].as_str() {
                text.push_str(&self.send("GET", output, None).await.1);
            }
        }
        text
    }

    pub(super) async fn give(&self, job: &str, status: &str) {
        let path = format!("/api/v1/organization/{}/job/{job}", self.organization);
        let (code, text) = self.send("PATCH", &path, Some(super::change("job", job, json!({"status": status})))).await;
        assert_eq!(code, 204, "{text}");
    }

    /// The newest state, if there is one.
    pub(super) async fn state(&self, workspace: &str) -> Option<Value> {
        let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", self.organization);
        let (status, text) = self.send("GET", &path, None).await;
        assert!(matches!(status, 200 | 204), "{text}");
        (status == 200).then(|| serde_json::from_str(&text).unwrap())
    }

    /// Whether the state is unlocked.
    pub(crate) async fn is_free(&self, workspace: &str) -> bool {
        let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", self.organization);
        let lock = json!({"ID": "test"});
        let (taken, _) = self.send("LOCK", &path, Some(lock.clone())).await;
        if taken == 200 {
            assert_eq!(self.send("UNLOCK", &path, Some(lock)).await.0, 200);
        }
        taken == 200
    }

    /// Waits until the log of a job contains a text.
    pub(crate) async fn until_said(&self, job: &str, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let body = self.until(job, &["pending", "queue", "running"]).await;
            let logs = self.logs(&body).await;
            if logs.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not say {words}:\n{logs}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the slow resource is being created.
    async fn until_slow(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let processes = self.folder.path().join("windlass-data/processes");
        let there = |entry: std::fs::DirEntry| entry.path().join("source/infra/started").exists();
        let in_one = |folder: &Path| std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(there));
        while !in_one(&processes) && !in_one(&processes.join(".kept")) {
            assert!(Instant::now() < deadline, "the apply does not begin");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn types(state: &Value) -> Vec<String> {
    let of =
        |resource: &Value| format!("{}.{}", resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
    state["resources"].as_array().unwrap().iter().map(of).collect()
}

pub(crate) const APPLY: &str = "flow:\n- {type: terraformPlan, step: 100}\n- {type: terraformApply, step: 200}\n";
pub(crate) const ASK: &str =
    "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";

#[tokio::test]
async fn plan_approve_apply_change_nothing_and_destroy() {
    for (folder, tool) in tools() {
        whole_life(&Site::with(folder, tool, &["--runner", "process"]).await).await;
    }
}

/// A workspace from its first plan to its end.
pub(crate) async fn whole_life(site: &Site) {
    let workspace = site.workspace(&[("who", "wörld \"${x}\"", false), ("sizes", "[1, 2]", true)]).await;
    let job = site.job(&workspace, ASK).await;
    site.until(&job, &["waitingApproval"]).await;
    assert_eq!(site.state(&workspace).await, None);
    site.give(&job, "approved").await;
    let done = site.until(&job, &["completed"]).await;
    assert_eq!(done["data"]["attributes"]["commitId"].as_str().unwrap().len(), 40);
    let logs = site.logs(&done).await;
    assert!(logs.contains("Apply complete! Resources: 1 added"), "{logs}");
    assert!(!logs.contains("wörld"), "a sensitive value is in the log: {logs}");
    let history = site
        .get(&format!("/api/v1/organization/{}/workspace/{workspace}/history?sort=-createdDate", site.organization))
        .await;
    let output = history["data"][0]["attributes"]["output"].as_str().unwrap();
    assert_eq!(site.get(output).await["values"]["outputs"]["who"]["value"], "wörld \"${x}\"-2");
    // The second plan has no changes.
    let job = site.job(&workspace, APPLY).await;
    let done = site.until(&job, &["completed"]).await;
    assert_eq!(done["data"]["attributes"]["planChanges"], false);
    let destroy = "flow:\n- {type: terraformPlanDestroy, step: 1}\n- {type: terraformApply, step: 2}\n";
    let job = site.job(&workspace, destroy).await;
    site.until(&job, &["completed"]).await;
    assert_eq!(types(&site.state(&workspace).await.unwrap()), Vec::<String>::new());
    assert!(site.is_free(&workspace).await);
}

/// What depends on the folder is the same in a plan and in its apply, which finds the files that the plan has made, also after a restart.
#[tokio::test]
async fn a_plan_and_its_apply_share_a_folder() {
    for (tools, tool) in self::tools() {
        let mut site = Site::with(tools, tool, &["--runner", "process"]).await;
        let repository = site.folder().join("repository");
        let folder = "resource \"terraform_data\" \"folder\" {\n  input = abspath(\"${path.module}/made.txt\")\n  \
                      provisioner \"local-exec\" { command = \"cat ${self.input}\" }\n  \
                      lifecycle { ignore_changes = [input] }\n}\n\
                      output \"values\" { value = \"values: ${join(\",\", fileset(path.module, \"*.tfvars\"))}.\" }\n";
        std::fs::write(repository.join("infra/folder.tf"), folder).unwrap();
        git(&repository, &["add", "."]);
        git(&repository, &["commit", "-q", "-m", "second"]);
        let workspace = site.workspace(&[("who", "someone", false)]).await;
        let flow = "flow:\n- {type: terraformPlan, step: 100, commands: [{runtime: BASH, before: true, script: 'echo by the plan > made.txt'}]}\n\
                    - {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";
        let job = site.job(&workspace, flow).await;
        site.until(&job, &["waitingApproval"]).await;
        let kept = site.folder().join("windlass-data/processes/.kept");
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 1);
        site.restart();
        // The apply needs neither the repository nor its branch.
        std::fs::rename(&repository, site.folder().join("gone")).unwrap();
        site.give(&job, "approved").await;
        let done = site.until(&job, &["completed"]).await;
        let logs = site.logs(&done).await;
        assert!(logs.contains("by the plan") && logs.contains("Resources: 2 added"), "{logs}");
        assert!(logs.contains("values: ."), "what packs the module packs no values of variables: {logs}");
        // Nothing is left of a job that needs nothing any more, nor of a plan without changes.
        std::fs::rename(site.folder().join("gone"), &repository).unwrap();
        let done = site.until(&site.job(&workspace, APPLY).await, &["completed"]).await;
        assert_eq!(done["data"]["attributes"]["planChanges"], false);
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::fs::read_dir(&kept).unwrap().count() > 0 {
            assert!(Instant::now() < deadline, "the source is still there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The state contains what was created before the failure; the scripts for a failure run.
#[tokio::test]
async fn a_failing_apply_keeps_its_state() {
    let Some(site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone-secret", false), ("fails", "true", true)]).await;
    let flow = "flow:\n- type: terraformApply\n  step: 1\n  commands:\n  - {runtime: BASH, priority: 2, before: true, script: 'echo \"before in $workingDirectory of job $jobId\"'}\n  - {runtime: BASH, priority: 1, beforeInit: true, script: echo first}\n  onFailure:\n  - {runtime: BASH, script: echo it-failed}\n";
    let job = site.job(&workspace, flow).await;
    let done = site.until(&job, &["failed"]).await;
    let logs = site.logs(&done).await;
    assert!(logs.contains("it-failed") && logs.contains(&format!("of job {job}")), "{logs}");
    assert!(logs.find("first").unwrap() < logs.find("before in").unwrap(), "{logs}");
    let state = site.state(&workspace).await.unwrap();
    assert!(types(&state).contains(&"terraform_data.first".to_owned()), "{state}");
    assert!(site.is_free(&workspace).await);
}

/// The process gets SIGINT, stores its state, and releases the lock.
#[tokio::test]
async fn cancelled_in_the_middle_of_an_apply() {
    let Some(site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false), ("seconds", "600", true)]).await;
    let job = site.job(&workspace, APPLY).await;
    site.until_slow().await;
    assert!(!site.is_free(&workspace).await);
    let began = Instant::now();
    site.give(&job, "cancelled").await;
    let done = site.until(&job, &["cancelled"]).await;
    assert!(began.elapsed() < Duration::from_secs(60));
    let logs = site.logs(&done).await;
    assert!(logs.contains("Interrupt received"), "{logs}");
    let state = site.state(&workspace).await.unwrap();
    assert!(types(&state).contains(&"terraform_data.first".to_owned()), "{state}");
    assert!(site.is_free(&workspace).await);
    // The workspace can be used as before.
    let job = site.job(&workspace, "flow:\n- {type: terraformDestroy, step: 1}\n").await;
    site.until(&job, &["completed"]).await;
}

/// The process gets SIGINT, and stores its state through the server, which waits for it.
#[tokio::test]
async fn the_server_shuts_down_in_the_middle_of_an_apply() {
    let Some(mut site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false), ("seconds", "600", true)]).await;
    let job = site.job(&workspace, APPLY).await;
    site.until_slow().await;
    site.shut_down_and_restart();
    let done = site.until(&job, &["failed", "completed", "cancelled"]).await;
    assert_eq!(done["data"]["attributes"]["status"], "failed");
    let output = done["data"]["attributes"]["output"].as_str().unwrap();
    assert!(output.contains("the server shut down and stopped the run"), "{output}");
    let logs = site.logs(&done).await;
    assert!(logs.contains("Interrupt received"), "{logs}");
    let state = site.state(&workspace).await.unwrap();
    assert!(types(&state).contains(&"terraform_data.first".to_owned()), "{state}");
    assert!(site.is_free(&workspace).await);
}

/// The result is unknown: the job says so, and nothing stays locked.
#[tokio::test]
async fn the_server_is_killed_in_the_middle_of_an_apply() {
    let Some(mut site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false), ("seconds", "600", true)]).await;
    let job = site.job(&workspace, APPLY).await;
    site.until_slow().await;
    site.restart();
    let done = site.until(&job, &["failed", "completed"]).await;
    assert_eq!(done["data"]["attributes"]["status"], "failed");
    let output = done["data"]["attributes"]["output"].as_str().unwrap();
    assert!(output.contains("lost"), "{output}");
    assert!(site.is_free(&workspace).await);
    // The state can be read, and the next run starts from it.
    let _state = site.state(&workspace).await;
    let job = site.job(&workspace, "flow:\n- {type: terraformDestroy, step: 1}\n").await;
    site.until(&job, &["completed"]).await;
    assert_eq!(types(&site.state(&workspace).await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn a_version_that_is_not_here() {
    let Some(site) = Site::new().await else { return };
    let workspace = site.workspace(&[("who", "someone", false)]).await;
    let path = format!("/api/v1/workspace/{workspace}");
    let change = |version: &str| super::change("workspace", &workspace, json!({"terraformVersion": version}));
    let (status, refused) = site.send("PATCH", &path, Some(change("0.0.1"))).await;
    // Without the tools of `cargo xtask services` it is the Terraform of this machine.
    let text = |tool: &str| format!("terraformVersion: accepts no version of {tool} that is installed: 1.");
    assert!(status == 400 && ["tofu", "terraform"].iter().any(|tool| refused.contains(&text(tool))), "{refused}");
    // The newest one that fits is used.
    assert_eq!(site.send("PATCH", &path, Some(change(" >= 1.0, < 9 "))).await.0, 204);
    let job = site.job(&workspace, APPLY).await;
    site.until(&job, &["completed"]).await;
}
