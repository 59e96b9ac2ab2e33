//! A workspace, beside OpenTofu alone: a plan and an apply, a speculative plan from a `cloud` block, and a large state.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::bench::Bench;
use super::database::Installation;
use super::http_client::{Connection, call, call_with};
use super::server::Server;
use super::table::{Pair, Rounds, median};
use super::usage::anonymous_mib;

const RESOURCES: usize = 100;
const STATE_MIB: usize = 50;
const MIB: usize = 1 << 20;
/// Seconds that the program sleeps during a plan from a `cloud` block, whatever the server does: half a second before it asks whether its
/// upload is there, and one before it asks whether its run has begun.
const SLEEPS: f64 = 1.5;
const FLOW: &str = "flow:\n- {type: terraformPlan, step: 100}\n- {type: terraformApply, step: 200}\n";

pub(crate) async fn measure(bench: &mut Bench) {
    let Some(tools) = std::env::var_os("WINDLASS_TEST_TOOLS").map(PathBuf::from) else {
        bench.table.line("Workspaces: no OpenTofu, not measured.".into());
        return;
    };
    let program = [tools.join("tofu"), tools.join("tofu/tofu")].into_iter().find(|path| path.is_file()).unwrap();
    runs(bench, &tools, &program).await;
    speculative(bench, &tools, &program).await;
    state(bench).await;
}

/// The module that is planned: resources that need no provider from elsewhere.
fn module(folder: &Path, head: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let text = format!(
        "{head}variable \"word\" {{ default = \"a\" }}\nresource \"terraform_data\" \"one\" {{\n  count = {RESOURCES}\n  \
         input = \"${{var.word}} ${{count.index}}\"\n}}\n"
    );
    std::fs::write(folder.join("main.tf"), text).unwrap();
}

fn done(command: &mut Command) {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{shown}: {}{}", text(&output.stdout), text(&output.stderr));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Seconds of OpenTofu alone in a fresh copy of the module.
fn alone(program: &Path, module: &Path, calls: &[&[&str]]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(module.join("main.tf"), folder.path().join("main.tf")).unwrap();
    let begin = Instant::now();
    for words in calls {
        done(Command::new(program).args(*words).current_dir(folder.path()));
    }
    begin.elapsed().as_secs_f64()
}

struct Api<'a> {
    server: &'a Server,
    token: &'a str,
    organization: String,
}

impl<'a> Api<'a> {
    fn new(server: &'a Server, token: &'a str) -> Self {
        let mut api = Self { server, token, organization: String::new() };
        let found = call(&server.address, "GET", "/organization", token, None);
        found["results"][0]["id"].as_str().unwrap().clone_into(&mut api.organization);
        api
    }

    fn call(&self, method: &str, rest: &str, body: Option<Value>) -> Value {
        let path = format!("/api/v1/organization/{}/{rest}", self.organization);
        let media = "application/vnd.api+json";
        call_with(media, &self.server.address, method, &path, self.token, body)["data"].clone()
    }

    /// Creates a resource, and returns its id.
    fn create(&self, kind: &str, attributes: Value, relationships: Value) -> String {
        let body = json!({"data": {"type": kind, "attributes": attributes, "relationships": relationships}});
        self.call("POST", kind, Some(body))["id"].as_str().unwrap().to_owned()
    }
}

/// A plan and an apply, from the request to the end, and how long the plan waits for its start.
async fn runs(bench: &mut Bench, tools: &Path, program: &Path) {
    let (mut whole, mut start, mut plain) = (Rounds::default(), Rounds::default(), Vec::new());
    let source = tempfile::tempdir().unwrap();
    module(source.path(), "");
    let named = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"];
    for words in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]] {
        done(Command::new("git").args(named).args(words).current_dir(source.path()));
    }
    let tools = tools.display().to_string();
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let server = installation.serve(&["--runner", "process", "--local-repositories", "--tools", &tools]);
        let api = Api::new(&server, &installation.token);
        let flow = base64::engine::general_purpose::STANDARD.encode(FLOW);
        let template = api.create("template", json!({"name": "bench", "version": "1", "tcl": flow}), json!({}));
        // The first round warms both.
        for round in 0..=bench.rounds.max(5) {
            let origin = format!("file://{}", source.path().display());
            let attributes = json!({"name": format!("w{round}"), "source": origin, "branch": "main", "folder": "/",
                                    "iacType": "tofu"});
            let workspace = api.create("workspace", attributes, json!({}));
            let begin = Instant::now();
            let related = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
            let job = api.create("job", json!({"templateReference": template}), related);
            let mut started = None;
            let seconds = loop {
                let status = api.call("GET", &format!("job/{job}"), None)["attributes"]["status"].clone();
                match status.as_str().unwrap() {
                    "pending" | "queue" => {}
                    "running" => started = started.or_else(|| Some(begin.elapsed())),
                    "completed" => break begin.elapsed().as_secs_f64(),
                    other => panic!("the job is {other}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            let words: [&[&str]; 3] = [&["init"], &["plan", "-out=plan"], &["apply", "plan"]];
            let floor = alone(program, source.path(), &words);
            if round > 0 {
                whole.add(database, seconds);
                start.add(database, started.unwrap().as_secs_f64() * 1000.0);
                plain.push(floor);
            }
        }
        drop(server);
        installation.end().await;
    }
    let floor = Some(("tofu init, plan, apply", Pair::same(median(plain))));
    let what = format!("A plan and an apply of {RESOURCES} resources, until recorded");
    bench.table.row(&what, "s", whole.median(), floor);
    bench.table.row("... from the request until the plan runs", "ms", start.median(), None);
}

/// `tofu plan` of a module with a `cloud` block, whose plan runs on the server.
async fn speculative(bench: &mut Bench, tools: &Path, program: &Path) {
    let (mut own, mut plain) = (Rounds::default(), Vec::new());
    let tools = tools.display().to_string();
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let (server, host) = serve_with_tls(&installation, &tools);
        let folder = installation.folder().join("module");
        let cloud = format!(
            "terraform {{\n  cloud {{\n    hostname = \"{host}\"\n    organization = \"windlass\"\n    workspaces {{ name = \"bench\" }}\n  }}\n}}\n"
        );
        module(&folder, &cloud);
        let local = installation.folder().join("local");
        module(&local, "");
        let config = format!("credentials \"{host}\" {{\n  token = \"{}\"\n}}\n", installation.token);
        std::fs::write(installation.folder().join("cli.tfrc"), config).unwrap();
        let tofu = |folder: &Path, word: &str| {
            let mut command = Command::new(program);
            command.arg(word).current_dir(folder).env("TF_CLI_CONFIG_FILE", installation.folder().join("cli.tfrc"));
            done(command.env("SSL_CERT_FILE", installation.folder().join("cert.pem")));
        };
        tofu(&folder, "init");
        tofu(&local, "init");
        for round in 0..=bench.rounds.max(5) {
            let seconds = [&folder, &local].map(|folder| {
                let begin = Instant::now();
                tofu(folder, "plan");
                begin.elapsed().as_secs_f64()
            });
            if round > 0 {
                own.add(database, seconds[0]);
                plain.push(seconds[1]);
            }
        }
        drop(server);
        installation.end().await;
    }
    let floor = Some(("tofu plan, and its sleeps", Pair::same(median(plain) + SLEEPS)));
    bench.table.row("A speculative plan of the same from a cloud block", "s", own.median(), floor);
}

/// A server that programs reach by TLS only, and its host.
fn serve_with_tls(installation: &Installation, tools: &str) -> (Server, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (installation.folder().join("cert.pem"), installation.folder().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let (address, url) = (format!("127.0.0.1:{port}"), format!("https://localhost:{port}"));
    let words = ["--tls-certificate", &cert, "--tls-key", &key, "--public-url", &url];
    let more = ["--runner", "process", "--tools", tools];
    // Its own steps trust the certificate, too.
    let trusting = format!("SSL_CERT_FILE={cert}");
    let server = installation.serve_at(&address, &["env", &trusting], &[&words[..], &more].concat());
    (server, format!("localhost:{port}"))
}

/// A large state is stored: memory beyond what the server had before.
async fn state(bench: &mut Bench) {
    let mut memory = Rounds::default();
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let server = installation.serve(&["--runner", "process"]);
        let api = Api::new(&server, &installation.token);
        for round in 0..bench.rounds {
            let attributes = json!({"name": format!("w{round}"), "source": "empty"});
            let workspace = api.create("workspace", attributes, json!({}));
            let path = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", api.organization);
            let body = format!(
                "{{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"resources\":[],\"outputs\":{{\"a\":{{\"type\":\"string\",\
                 \"value\":\"{}\"}}}}}}",
                "line by line ... ".repeat(STATE_MIB * MIB / 17)
            );
            let request = super::http_client::request("POST", &path, &installation.token, Some(&body));
            let before = anonymous_mib(server.id());
            let (id, ended) = (server.id(), Arc::new(AtomicBool::new(false)));
            let watched = Arc::clone(&ended);
            let most = tokio::task::spawn_blocking(move || {
                let mut most = 0.0_f64;
                while !watched.load(Ordering::Relaxed) {
                    most = most.max(anonymous_mib(id));
                    std::thread::sleep(Duration::from_millis(2));
                }
                most
            });
            let address = server.address.clone();
            tokio::task::spawn_blocking(move || Connection::open(&address).send(&request).len()).await.unwrap();
            ended.store(true, Ordering::Relaxed);
            memory.add(database, most.await.unwrap() - before);
        }
        drop(server);
        installation.end().await;
    }
    bench.table.row(
        &format!("A state of {STATE_MIB} MiB stored, growth of anonymous memory"),
        "MiB",
        memory.median(),
        None,
    );
}
