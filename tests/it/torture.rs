//! Servers that are killed again and again while containers run: one server on SQLite, two on PostgreSQL. Starts are counted
//! by the containers themselves, which report over the network, and not by the database.
//!
//! Run by `cargo xtask torture`, because it takes minutes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::runner::docker_image;
use crate::server::Server;

/// The pause between two requests for a run.
const RHYTHM: Duration = Duration::from_millis(350);
/// The longest delay of a scheduled run while a server is killed: a lease, and 3 s.
const LATEST: TimeDelta = TimeDelta::seconds(15 + 3);
/// The time for all runs to end after the last kill.
const PATIENCE: Duration = Duration::from_secs(240);

/// The address by which containers reach this machine: the gateway of their default route. A container is asked for it, because the
/// engine's own record of its bridge may name none.
fn gateway(image: &str) -> Ipv4Addr {
    let run = ["run", "--rm", "--network", "bridge", image, "cat", "/proc/net/route"];
    let output = Command::new("docker").args(run).output().unwrap();
    let routes = String::from_utf8(output.stdout).unwrap();
    default_gateway(&routes).unwrap_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("a container of the network `bridge` has no default route, so it cannot report to this test: {routes}{errors}")
    })
}

/// The gateway of the default route in the format of /proc/net/route: addresses are hexadecimal, in the order of the machine.
fn default_gateway(routes: &str) -> Option<Ipv4Addr> {
    let columns = routes.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let default =
        columns.filter(|columns| columns.get(1) == Some(&"00000000")).find_map(|columns| columns.get(2).copied())?;
    let address = u32::from_str_radix(default, 16).ok()?;
    Some(Ipv4Addr::from(address.to_ne_bytes()))
}

#[test]
fn the_gateway_of_containers_is_read_from_their_routes() {
    let address = u32::from_ne_bytes([172, 17, 0, 1]);
    let routes = format!(
        "Iface\tDestination\tGateway\tFlags\neth0\t000011AC\t00000000\t0001\neth0\t00000000\t{address:08X}\t0003\n"
    );
    assert_eq!(default_gateway(&routes), Some(Ipv4Addr::new(172, 17, 0, 1)));
    assert_eq!(default_gateway("Iface\tDestination\tGateway\neth0\t000011AC\t00000000\n"), None);
}

/// Listens where containers can reach it, and counts their reports.
fn listen(image: &str) -> (String, Arc<Mutex<BTreeMap<String, u32>>>) {
    let gateway = gateway(image);
    let listener = TcpListener::bind((gateway, 0)).unwrap();
    let address = format!("{gateway} {}", listener.local_addr().unwrap().port());
    let heard: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let counts = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(stream).read_line(&mut line).is_ok() && !line.trim().is_empty() {
                *counts.lock().unwrap().entry(line.trim().to_owned()).or_default() += 1;
            }
        }
    });
    (address, heard)
}

/// Sends a request to the servers in turn, until one answers.
struct Asker {
    client: reqwest::Client,
    token: String,
    addresses: Mutex<Vec<String>>,
}

impl Asker {
    async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let addresses = self.addresses.lock().unwrap().clone();
            for address in addresses {
                let mut request = self.client.request(method.parse().unwrap(), format!("{address}{path}"));
                request = request.header("Authorization", format!("Token {}", self.token));
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", key);
                }
                if let Some(body) = &body {
                    request = request.header("Content-Type", "application/json").body(body.to_string());
                }
                // A request that failed may have taken effect, so it is repeated with the same key.
                let Ok(answer) = request.send().await else { continue };
                let status = answer.status();
                let Ok(text) = answer.text().await else { continue };
                if status.is_success() {
                    return serde_json::from_str(&text).unwrap_or(Value::Null);
                }
                assert!(status.is_server_error() || status == StatusCode::CONFLICT, "{method} {path}: {status} {text}");
            }
            assert!(Instant::now() < deadline, "{method} {path} is not answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A small generator with a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn job(name: &str, registry: &str, image: &str, address: &str) -> Value {
    let script =
        format!("echo \"$WINDLASS_RUN_ID $WINDLASS_ATTEMPT\" | nc -w 5 {address}; echo one; sleep 1; echo two");
    let (name_of_image, tag) = image.trim_start_matches("docker.io/").rsplit_once(':').unwrap();
    json!({
        "name": name, "healthchecks": {}, "cpu": 200, "memory": 32,
        "source": {"image": {"image_name": name_of_image, "tag": tag, "registry_id": registry}},
        "schedule": {"cronjob": {"scheduled_at": "* * * * *", "entrypoint": "/bin/sh", "arguments": ["-c", script]}},
    })
}

struct Torture {
    asker: Arc<Asker>,
    servers: Vec<Server>,
    folders: Vec<tempfile::TempDir>,
    words: Vec<Vec<String>>,
}

impl Torture {
    fn start(database: Option<&str>) -> Self {
        let count = if database.is_some() { 2 } else { 1 };
        let (mut servers, mut folders, mut words): (Vec<Server>, _, _) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let folder = tempfile::tempdir().unwrap();
            let mut of: Vec<String> = vec!["--runner".into(), "docker".into()];
            if let Some(url) = database {
                of.extend(["--database-url".into(), url.to_owned()]);
            }
            if number > 0 {
                // All servers share one key.
                let key = Path::new(&folders_path(&folders)).join("windlass-data/secret.key");
                of.extend(["--secret-key-file".into(), key.display().to_string()]);
            }
            let token = servers.first().map(|first: &Server| first.token.clone());
            let texts: Vec<&str> = of.iter().map(String::as_str).collect();
            servers.push(Server::start(folder.path(), &texts, token.as_deref()));
            folders.push(folder);
            words.push(of);
        }
        let asker = Asker {
            client: reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap(),
            token: servers[0].token.clone(),
            addresses: Mutex::new(servers.iter().map(|server| server.url.clone()).collect()),
        };
        Self { asker: Arc::new(asker), servers, folders, words }
    }

    /// Kills one server and starts it again.
    fn kill(&mut self, which: usize) {
        let old = self.servers.remove(which);
        let token = old.token.clone();
        drop(old);
        let words: Vec<&str> = self.words[which].iter().map(String::as_str).collect();
        let new = Server::start(self.folders[which].path(), &words, Some(&token));
        self.asker.addresses.lock().unwrap()[which].clone_from(&new.url);
        self.servers.insert(which, new);
    }
}

fn folders_path(folders: &[tempfile::TempDir]) -> std::path::PathBuf {
    folders[0].path().to_owned()
}

async fn torture(database: Option<&str>, kills: u32) {
    let Some(image) = docker_image() else { return };
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let (address, heard) = listen(&image);
    let mut servers = Torture::start(database);
    let asker = Arc::clone(&servers.asker);
    let get = async |path: &str| asker.ask("GET", path, None, None).await;
    let organization = get("/organization").await["results"][0]["id"].as_str().unwrap().to_owned();
    let post = async |path: &str, body: Value| {
        asker.ask("POST", path, None, Some(body)).await["id"].as_str().unwrap_or_default().to_owned()
    };
    let project = post(&format!("/organization/{organization}/project"), json!({"name": "p"})).await;
    let environment = post(&format!("/project/{project}/environment"), json!({"name": "e"})).await;
    let registry = json!({"name": "hub", "kind": "DOCKER_HUB", "config": {}});
    let registry = post(&format!("/organization/{organization}/containerRegistry"), registry).await;
    let mut jobs = Vec::new();
    for number in 0..20 {
        let body = job(&format!("job {number}"), &registry, &image, &address);
        let id = post(&format!("/environment/{environment}/job"), body).await;
        let jitter = json!({"cronjob.jitter_seconds": 59, "cronjob.concurrency_policy": "Allow"});
        asker.ask("PUT", &format!("/job/{id}/advancedSettings"), None, Some(jitter)).await;
        asker.ask("POST", &format!("/job/{id}/deploy"), None, Some(json!({}))).await;
        jobs.push(id);
    }
    // Runs are requested all the time, each with a key of its own.
    let (asking, job) = (Arc::clone(&asker), jobs[0].clone());
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let requests = tokio::spawn(async move {
        let mut runs = BTreeMap::new();
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            let key = format!("request {}", runs.len());
            let run = asking.ask("POST", &format!("/job/{job}/run"), Some(&key), Some(json!({}))).await;
            let known = runs.insert(run["id"].as_str().unwrap().to_owned(), key);
            assert_eq!(known, None, "two requests have one run");
            tokio::time::sleep(RHYTHM).await;
        }
        runs
    });
    let mut random = Random(u64::from(std::process::id()));
    for number in 0..kills {
        tokio::time::sleep(Duration::from_millis(200 + random.below(1500))).await;
        let which = usize::try_from(number).unwrap() % servers.servers.len();
        servers.kill(which);
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let runs = requests.await.unwrap();
    for job in &jobs {
        asker.ask("POST", &format!("/job/{job}/stop"), None, Some(json!({}))).await;
    }
    let all = settled(&asker, &jobs).await;
    let heard = heard.lock().unwrap().clone();
    let cancelled = check(&asker, &all, &runs, &heard).await;
    let (late, started) = (latest(&all, "created_at"), latest(&all, "started_at"));
    // Of two servers one is always up.
    assert!(database.is_none() || late <= LATEST, "a time was stored {late} late");
    eprintln!(
        "{kills} kills on {}: {} runs ({} manual), {} starts heard, none twice; {cancelled} cancelled at the end; \
         times were stored at most {:.1} s late, and started {:.1} s",
        if database.is_some() { "PostgreSQL" } else { "SQLite" },
        all.len(),
        runs.len(),
        heard.len(),
        late.as_seconds_f64(),
        started.as_seconds_f64(),
    );
}

/// The delay of `what` of the latest run of a schedule.
fn latest(all: &[Value], what: &str) -> TimeDelta {
    let at = |run: &Value, what: &str| run[what].as_str().map(|text| text.parse::<DateTime<Utc>>().unwrap());
    let late = |run: &Value| Some(at(run, what)? - at(run, "scheduled_for")?);
    all.iter().filter_map(late).max().expect("a time came while servers were killed")
}

/// Compares the reports with the stored runs; returns the number of cancelled ones.
async fn check(asker: &Asker, all: &[Value], runs: &BTreeMap<String, String>, heard: &BTreeMap<String, u32>) -> u32 {
    let mut cancelled = 0;
    for run in all {
        let (id, state) = (run["id"].as_str().unwrap(), run["state"].as_str().unwrap());
        let starts: Vec<_> = heard.iter().filter(|(report, _)| report.starts_with(id)).collect();
        assert!(starts.iter().all(|(_, count)| **count == 1), "an attempt of {run} was started twice: {starts:?}");
        if state == "SUCCEEDED" {
            assert_eq!(starts.len(), 1, "{run} was started {starts:?}");
            let log = asker.ask("GET", &format!("/run/{id}/logLine"), None, None).await;
            let lines: Vec<_> =
                log["results"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
            assert_eq!(lines, ["one", "two"], "{run}");
        } else {
            assert_eq!(state, "CANCELLED", "{run}");
            cancelled += 1;
        }
    }
    let known: Vec<&str> = all.iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert!(runs.keys().all(|id| known.contains(&id.as_str())), "a run that was accepted is not there");
    assert!(heard.keys().all(|report| known.iter().any(|id| report.starts_with(id))), "an unknown run was started");
    assert!(runs.len() > 10, "too little has happened: {} runs", runs.len());
    cancelled
}

/// All runs of the jobs, once they have ended.
async fn settled(asker: &Asker, jobs: &[String]) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut all = Vec::new();
        for job in jobs {
            let found = asker.ask("GET", &format!("/job/{job}/run?count=200"), None, None).await;
            all.extend(found["results"].as_array().unwrap().clone());
        }
        let open = |run: &&Value| matches!(run["state"].as_str(), Some("QUEUED" | "RUNNING"));
        let left = all.iter().filter(open).count();
        if left == 0 {
            return all;
        }
        assert!(Instant::now() < deadline, "{left} runs do not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn kills() -> u32 {
    std::env::var("WINDLASS_TORTURE_KILLS").map_or(50, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; cargo xtask torture runs it"]
async fn kills_on_sqlite() {
    torture(None, kills().div_ceil(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; cargo xtask torture runs it"]
async fn kills_of_two_servers_on_postgresql() {
    if std::env::var("WINDLASS_TEST_DATABASE_URL").is_err() {
        assert!(std::env::var("WINDLASS_TEST_STRICT").is_err(), "there is no PostgreSQL, and nothing may be skipped");
        eprintln!("SKIPPED: WINDLASS_TEST_DATABASE_URL is not set");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = crate::harness::database(&folder).await;
    torture(Some(&url), kills().div_ceil(2)).await;
}
