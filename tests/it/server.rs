//! The program itself: started, killed, restarted, and used through its command line.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::wait_for;
use crate::runner::docker_image;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass");

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) token: String,
    greeting: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    with_defaults(&mut command, folder);
    command
}

/// Flags of a test take precedence over these.
fn with_defaults<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.current_dir(folder).env("WINDLASS_LISTEN", "127.0.0.1:0").env("WINDLASS_LOG", "warn")
}

impl Server {
    /// Starts in `folder` and reads the greeting; `token` comes from the first start.
    pub(crate) fn start(folder: &Path, words: &[&str], token: Option<&str>) -> Self {
        let mut program = Command::new(PROGRAM);
        program.args(words);
        Self::start_by(folder, program, token)
    }

    /// Starts by a command that becomes the server.
    pub(crate) fn start_by(folder: &Path, mut command: Command, token: Option<&str>) -> Self {
        let out = folder.join("out");
        let file = std::fs::File::create(&out).unwrap();
        let child = with_defaults(&mut command, folder).stdout(file).spawn().unwrap();
        let mut server = Self { child, url: String::new(), token: String::new(), greeting: String::new() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while server.url.is_empty() {
            assert!(Instant::now() < deadline, "the server does not start");
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("the server ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
            server.greeting = std::fs::read_to_string(&out).unwrap();
            if let Some((line, _)) = server.greeting.split_once('\n') {
                server.url = line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
            }
        }
        std::thread::sleep(Duration::from_millis(50));
        server.greeting = std::fs::read_to_string(&out).unwrap();
        let shown =
            server.greeting.split("TOKEN=").nth(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned());
        server.token = shown.or(token.map(str::to_owned)).expect("no token was shown");
        server
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value, String) {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let mut request = client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        request = request.header("Authorization", format!("Token {}", self.token));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null), text)
    }

    /// Creates a resource of the Terrakube-compatible API, and returns its id.
    pub(crate) async fn create(&self, path: &str, document: Value) -> String {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("Content-Type", "application/vnd.api+json").body(document.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(status, 201, "{path}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["data"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body, text) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {text}");
        body
    }

    /// The newest run of a job for which `wanted` is true.
    pub(crate) async fn run(&self, job: &str, patience: u64, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(patience);
        loop {
            let runs = self.get(&format!("/job/{job}/run")).await;
            if let Some(run) = runs["results"].as_array().unwrap().iter().find(|run| wanted(run)) {
                return run.clone();
            }
            assert!(Instant::now() < deadline, "no run matches: {runs:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Creates and deploys a LIFECYCLE job with a script.
    pub(crate) async fn deploy(&self, name: &str, script: &str) -> String {
        let environment = self.greeting_id("/environment/");
        let jobs = self.get(&format!("/environment/{environment}/job")).await;
        let registry = jobs["results"][0]["source"]["image"]["registry_id"].clone();
        let body = json!({
            "name": name, "healthchecks": {}, "memory": 64,
            "source": {"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry}},
            "schedule": {"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", script]}},
        });
        let (status, job, text) = self.call("POST", &format!("/environment/{environment}/job"), Some(body)).await;
        assert_eq!(status, 201, "{text}");
        let id = job["id"].as_str().unwrap().to_owned();
        let (status, _, text) = self.call("POST", &format!("/job/{id}/deploy"), Some(json!({}))).await;
        assert_eq!(status, 202, "{text}");
        id
    }

    /// The process of the server.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The path of the sample jobs.
    pub(crate) fn jobs_path(&self) -> String {
        format!("/environment/{}/job", self.greeting_id("/environment/"))
    }

    pub(crate) fn greeting_id(&self, before: &str) -> String {
        self.greeting.split(before).nth(1).unwrap().chars().take(36).collect()
    }

    /// Sends SIGTERM, which begins an orderly shutdown.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the process has ended; returns its exit code and the token.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        (self.child.wait().unwrap().code(), self.token.clone())
    }

    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.token.clone()
    }
}

pub(crate) fn done(run: &Value) -> bool {
    !matches!(run["state"].as_str().unwrap(), "QUEUED" | "RUNNING")
}

fn say(folder: &Path, words: &[&str]) -> Output {
    command(folder).args(words).output().unwrap()
}

/// Starts the demonstration and runs the commands that it prints.
#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_works_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["serve", "--demo", "--runner", "process"], None);
    let lifecycle = server.greeting.split("/job/").nth(2).unwrap().chars().take(36).collect::<String>();
    server.run(&lifecycle, 20, done).await;
    if crate::runner::needed("WINDLASS_TEST_DOCKER").is_some() {
        let is_command = |line: &&str| line.trim().starts_with("curl") || line.trim().starts_with(PROGRAM);
        let lines: Vec<&str> = server.greeting.lines().filter(is_command).collect();
        assert!(lines.len() >= 10, "{}", server.greeting);
        for line in lines {
            let output = Command::new("sh")
                .args(["-c", line])
                .env("WINDLASS_URL", &server.url)
                .env("WINDLASS_TOKEN", &server.token)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && !text.is_empty() && !text.contains("\"status\":4"), "{line}\n{text}");
        }
    }
    let cron = server.greeting_id("/job/");
    let next = server.get(&format!("/job/{cron}/nextRun?count=1")).await;
    let next = &next["results"][0]["at"];
    let run = server.run(&cron, 75, |run| run["scheduled_for"] == *next && done(run)).await;
    assert_eq!((&run["state"], &run["exit_code"], &run["runner"]), (&json!("SUCCEEDED"), &json!(0), &json!("PROCESS")));
    assert!(run["reason"].as_str().unwrap().contains("the image and the limits were not used"));
    assert_eq!(run["trigger"], "SCHEDULE");
    let (_, _, log) = server.call("GET", &format!("/run/{}/log", run["id"].as_str().unwrap()), None).await;
    assert!(log.starts_with("hello from demo, for 20"), "{log}");
}

/// kill -9 while a container runs: the next server finds the container, its whole log and its exit code.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_outlives_its_server() {
    if docker_image().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let words = ["serve", "--demo", "--runner", "docker"];
    let server = Server::start(folder.path(), &words, None);
    let script = "i=0; while [ $i -lt 40 ]; do echo \"$HOSTNAME $i\"; i=$((i+1)); sleep 0.1; done; exit 5";
    let job = server.deploy("outlives", script).await;
    let run = server.run(&job, 30, |run| run["started_at"].is_string()).await;
    let path = format!("/run/{}/log", run["id"].as_str().unwrap());
    let label = format!("label=windlass.run={}", run["id"].as_str().unwrap());
    let docker =
        |words: &[&str]| String::from_utf8(Command::new("docker").args(words).output().unwrap().stdout).unwrap();
    let stored = wait_for("some lines of the log", async || {
        let log = server.call("GET", &path, None).await.2;
        Some(log.lines().count()).filter(|lines| *lines > 3)
    });
    let stored = stored.await;
    let token = server.kill();
    // The container continues to write without a server.
    let container = docker(&["ps", "-q", "--filter", &label]).trim().to_owned();
    wait_for("more lines of the container", async || {
        (docker(&["logs", &container]).lines().count() > stored + 5).then_some(())
    })
    .await;
    let server = Server::start(folder.path(), &words, Some(&token));
    let run = server.run(&job, 30, done).await;
    assert_eq!((&run["exit_code"], &run["attempt"], &run["runner"]), (&json!(5), &json!(1), &json!("DOCKER")));
    let (_, _, log) = server.call("GET", &path, None).await;
    let host = log.split(' ').next().unwrap();
    let expected: String = (0..40).map(|number| format!("{host} {number}\n")).collect();
    assert_eq!(log, expected, "one container, and every line of it");
    assert_eq!(server.get(&format!("/job/{job}/run")).await["results"].as_array().unwrap().len(), 1);
    wait_for("the removal of the container", async || {
        docker(&["ps", "-aq", "--filter", &label]).is_empty().then_some(())
    })
    .await;
}

/// kill -9 while a process runs: the process ends with the server, with everything it has started, and the run is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_lost_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["serve", "--demo", "--runner", "process"];
    let server = Server::start(folder.path(), &words, None);
    let job = server.deploy("lost", "setsid sleep 600 & echo $!; sleep 600").await;
    let run = server.run(&job, 30, |run| run["started_at"].is_string()).await;
    let path = format!("/run/{}/log", run["id"].as_str().unwrap());
    let process = wait_for("the first line of the log", async || {
        let log = server.call("GET", &path, None).await.2;
        log.lines().next().map(str::to_owned)
    });
    let process = process.await;
    let alive = PathBuf::from(format!("/proc/{process}"));
    assert!(alive.exists(), "process {process}");
    let token = server.kill();
    wait_for("the end of the process", async || {
        let state = std::fs::read_to_string(alive.join("stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    })
    .await;
    let server = Server::start(folder.path(), &words, Some(&token));
    let run = server.run(&job, 30, done).await;
    assert_eq!(run["state"], "FAILED");
    assert!(run["reason"].as_str().unwrap().starts_with("the run was lost"), "{run}");
}

/// A job reads neither the environment nor the memory of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_cannot_read_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(PROGRAM);
    program.args(["serve", "--demo", "--runner", "process"]).env("WINDLASS_SECRET_KEYS", "ab".repeat(32));
    program.env("WINDLASS_OTLP_ENDPOINT", "http://me:ababab@127.0.0.1:1");
    let server = Server::start_by(folder.path(), program, None);
    let process = server.process();
    let script = format!(
        "env | grep -c ababab; head -c 1 /proc/{process}/mem >/dev/null && echo memory; \
         grep -a ababab /proc/{process}/environ && echo environment; ls -l /proc/{process}/exe | grep -c -e '->'; \
         spawner=$(cut -d ' ' -f 4 /proc/$PPID/stat); for other in $PPID $spawner; do \
         head -c 1 /proc/$other/mem >/dev/null && echo memory; done; echo end"
    );
    let job = server.deploy("curious", &script).await;
    let run = server.run(&job, 30, done).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}");
    let (_, _, log) = server.call("GET", &format!("/run/{}/log", run["id"].as_str().unwrap()), None).await;
    let read: Vec<&str> =
        log.lines().filter(|line| ["memory", "environment", "0", "1", "end"].contains(line)).collect();
    assert_eq!(read, ["0", "0", "end"], "{log}");
}

/// The keys come from a variable or a command as well as from a file. Keys of another server are refused, with their source.
#[tokio::test(flavor = "multi_thread")]
async fn keys_come_from_a_variable_or_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let (key, other) = ("ab".repeat(32), "cd".repeat(32));
    let mut program = Command::new(PROGRAM);
    program.args(["serve", "--demo", "--runner", "process"]).env("WINDLASS_SECRET_KEYS", &key);
    let server = Server::start_by(folder.path(), program, None);
    let job = server.deploy("secretive", "true").await;
    let secret = json!({"key": "PASSWORD", "value": "correct horse"});
    assert_eq!(server.call("POST", &format!("/job/{job}/secret"), Some(secret)).await.0, 201);
    assert!(!folder.path().join("windlass-data/secret.key").exists());
    let token = server.kill();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, format!("{other}\n{key}\n")).unwrap();
    let command = format!("cat {}", keys.display());
    let words = ["serve", "--runner", "process", "--secret-key-command", &command];
    let server = Server::start(folder.path(), &words, Some(&token));
    let (_, health, _) = server.call("GET", "/health", None).await;
    assert_eq!(health["key"], "well", "{health}");
    drop(server);
    for (words, variable, expected) in [
        (vec!["serve"], Some("ef".repeat(32)), "which the setting --secret-keys (WINDLASS_SECRET_KEYS) does not have"),
        (
            vec!["serve", "--secret-key-command", "echo 12"],
            None,
            "every key in the output of the key command echo must",
        ),
        (vec!["serve", "--secret-key-command", "false"], None, "the key command false failed (exit status: 1)"),
        (vec!["serve", "--secret-key-command", "false"], Some("ef".repeat(32)), "cannot be used with"),
        (vec!["serve"], None, "no new one is created beside sealed values"),
    ] {
        let mut program = command_with(folder.path(), &words);
        program.envs(variable.map(|keys| ("WINDLASS_SECRET_KEYS", keys)));
        let output = program.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(expected) && !told.contains("efef"), "{words:?}: {told}");
    }
}

fn command_with(folder: &Path, words: &[&str]) -> Command {
    let mut command = command(folder);
    command.args(words);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--runner", "process"], None);
    assert!(!server.greeting.contains("Try"), "samples without --demo");
    assert_eq!(server.get("/organization").await["results"][0]["name"], "windlass");
    let second = say(folder.path(), &["serve"]);
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server is using the database"));
    let made = say(folder.path(), &["token", "create", "--name", "ci", "--role", "viewer"]);
    let first = std::mem::replace(&mut server.token, String::from_utf8(made.stdout).unwrap().trim().to_owned());
    server.get("/organization").await;
    assert_eq!(
        server
            .call(
                "PUT",
                &format!("/organization/{}", server.get("/organization").await["results"][0]["id"].as_str().unwrap()),
                Some(json!({"name": "x", "plan": "FREE"}))
            )
            .await
            .0,
        403
    );
    let list = String::from_utf8(say(folder.path(), &["token", "list"]).stdout).unwrap();
    assert!(list.contains("Viewer") && !list.contains("windlass_"), "{list}");
    let id = list.lines().find(|line| line.ends_with("ci")).unwrap().split_whitespace().next().unwrap();
    assert!(say(folder.path(), &["token", "revoke", id]).status.success());
    wait_for("the revocation by another process", async || {
        (server.call("GET", "/organization", None).await.0 == 401).then_some(())
    })
    .await;
    assert!(!say(folder.path(), &["token", "revoke", id]).status.success());
    server.token = first;
    server.get("/organization").await;
    let listen = server.url.trim_start_matches("http://").to_owned();
    let health = |listen: &str| Command::new(PROGRAM).args(["healthcheck", "--listen", listen]).output().unwrap();
    assert!(health(&listen).status.success());
    let zones = server.get("/health").await["time_zones"].as_str().unwrap().to_owned();
    let version = String::from_utf8(say(folder.path(), &["--version"]).stdout).unwrap();
    assert_eq!(version, format!("windlass {}\ntime zones: {zones}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(zones, windlass_schedule::time_zone::database().to_string());
    server.terminate();
    assert_eq!(server.ended().0, Some(0), "the server ends on SIGTERM");
    assert!(!health(&listen).status.success());
    assert!(say(folder.path(), &["migrate"]).status.success());
}

/// A server that others can reach does not run plain processes, unless it is configured to.
#[tokio::test]
async fn processes_are_refused_to_others() {
    use windlass::clock::Clock;
    use windlass::config::RunnerChoice;
    use windlass::runner::Target;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("a.db").display());
    let mut config = crate::harness::config(folder.path().to_owned(), &url);
    config.docker_host = Some("unix:///nowhere/docker.sock".into());
    let local = async |config: &windlass::config::Config| {
        windlass::server::build(config.clone(), Clock::system()).await.unwrap().0.runners.local.clone()
    };
    assert_eq!(local(&config).await, Ok(Target::Process));
    // Built, but never bound.
    config.listen = "0.0.0.0:1".parse().unwrap();
    assert!(local(&config).await.unwrap_err().contains("not allowed"));
    config.runner = RunnerChoice::Process;
    assert_eq!(local(&config).await, Ok(Target::Process));
}

/// Requests and runs are traced if a collector is configured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_reach_a_collector() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut all, mut piece) = (Vec::new(), [0; 65_536]);
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                all.extend_from_slice(&piece[..count]);
            }
            let _answered = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            sender.send(String::from_utf8_lossy(&all).into_owned()).unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start(folder.path(), &["serve", "--demo", "--runner", "process", "--otlp-endpoint", &collector], None);
    server.get("/organization").await;
    let (deadline, mut all) = (Instant::now() + Duration::from_secs(30), String::new());
    while !(all.contains("GET /organization") && all.contains("run.start")) {
        let left = deadline.saturating_duration_since(Instant::now());
        all.push_str(&received.recv_timeout(left).unwrap_or_else(|_| panic!("the collector only received {all:?}")));
    }
    assert!(all.starts_with("POST /v1/traces") && all.contains("windlass"));
    assert!(!all.contains(&server.token));
}

/// A key file that others could read is taken away from them.
#[tokio::test]
async fn a_key_file_is_made_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass-data/secret.key");
    let token = Server::start(folder.path(), &["serve", "--runner", "process"], None).kill();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _server = Server::start(folder.path(), &["serve", "--runner", "process"], Some(&token));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Processes run as the user of the setting, and jobs cannot get back to root.
#[tokio::test(flavor = "multi_thread")]
async fn plain_processes_run_as_another_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can start the processes of another user");
        return;
    }
    let (folder, processes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(processes.path(), open).unwrap();
    let place = processes.path().to_str().unwrap();
    let words = ["serve", "--demo", "--runner", "process", "--process-dir", place, "--process-user"];
    let server = Server::start(folder.path(), &[&words[..], &["nobody"]].concat(), None);
    let key = folder.path().join("windlass-data/secret.key");
    let job = server.deploy("whoever", &format!("id -un; cat {}; echo end", key.display())).await;
    let run = server.run(&job, 30, done).await;
    let (_, _, log) = server.call("GET", &format!("/run/{}/log", run["id"].as_str().unwrap()), None).await;
    assert!(log.contains("nobody\n") && log.contains("Permission denied") && log.contains("end"), "{log}");
    drop(server);
    for (user, expected) in [("root", "must not be root"), ("no-such-user", "is not a user of this machine")] {
        let output = command_with(folder.path(), &[&words[..], &[user]].concat()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && told.contains("--process-user") && told.contains(expected),
            "{user}: {told}"
        );
    }
}

/// A server that runs jobs as root says so when it starts.
#[tokio::test]
async fn processes_that_run_as_root_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(PROGRAM);
    let errors = folder.path().join("errors");
    program.args(["serve", "--runner", "process"]).stderr(std::fs::File::create(&errors).unwrap());
    let _server = Server::start_by(folder.path(), program, None);
    let told = std::fs::read_to_string(errors).unwrap();
    let expected = rustix::process::geteuid().is_root();
    assert_eq!(told.contains("plain processes run as root"), expected, "{told}");
}
