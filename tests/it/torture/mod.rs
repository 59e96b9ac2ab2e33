//! Servers that are killed and shut down again and again while containers run: one server on SQLite, whose disk is also filled,
//! and two on PostgreSQL, whose connections are also cut. Starts are counted by the containers themselves, which report over the
//! network, and not by the database. Other runs fail, and a receiver of alerts and webhooks counts what it is told about them.
//!
//! Run by `cargo xtask torture`, because it takes minutes.

mod asker;
mod check;
mod faults;
mod reports;
mod sink;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use self::asker::Asker;
use self::check::{check, latest, settled};
use self::faults::Torture;
use self::reports::listen;
use self::sink::Sink;
use crate::runner::docker_image;

/// The pause between two requests for a run.
const RHYTHM: Duration = Duration::from_millis(350);
/// The longest delay of a scheduled run while a server is killed: a lease, and 3 s.
const LATEST: TimeDelta = TimeDelta::seconds(15 + 3);
/// The time for all runs to end after the last kill.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a run does that succeeds: it reports its start.
fn reporting(address: &str) -> String {
    format!("echo \"$WINDLASS_RUN_ID $WINDLASS_ATTEMPT\" | nc -w 5 {address}; echo one; sleep 1; echo two")
}

fn job(name: &str, registry: &str, image: &str, script: &str) -> Value {
    let (name_of_image, tag) = image.trim_start_matches("docker.io/").rsplit_once(':').unwrap();
    json!({
        "name": name, "healthchecks": {}, "cpu": 200, "memory": 32,
        "source": {"image": {"image_name": name_of_image, "tag": tag, "registry_id": registry}},
        "schedule": {"cronjob": {"scheduled_at": "* * * * *", "entrypoint": "/bin/sh", "arguments": ["-c", script]}},
    })
}

/// A small generator with a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Requests runs of jobs in turn, all the time, each with a key of its own; returns the keys by run.
async fn requests(
    asker: Arc<Asker>,
    (word, jobs): (&'static str, Vec<String>),
    stop: Arc<AtomicBool>,
) -> BTreeMap<String, String> {
    let mut runs = BTreeMap::new();
    while !stop.load(SeqCst) {
        let (key, job) = (format!("{word} {}", runs.len()), &jobs[runs.len() % jobs.len()]);
        let run = asker.ask("POST", &format!("/job/{job}/run"), Some(&key), Some(json!({}))).await;
        let known = runs.insert(run["id"].as_str().unwrap().to_owned(), key);
        assert_eq!(known, None, "two requests have one run");
        tokio::time::sleep(RHYTHM).await;
    }
    runs
}

async fn torture(database: Option<&str>, kills: u32) {
    let Some(image) = docker_image() else { return };
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let Some((address, heard)) = listen(&image) else { return };
    let mut servers = Torture::start(database).await;
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
        let body = job(&format!("job {number}"), &registry, &image, &reporting(&address));
        let id = post(&format!("/environment/{environment}/job"), body).await;
        let jitter = json!({"cronjob.jitter_seconds": 59, "cronjob.concurrency_policy": "Allow"});
        asker.ask("PUT", &format!("/job/{id}/advancedSettings"), None, Some(jitter)).await;
        asker.ask("POST", &format!("/job/{id}/deploy"), None, Some(json!({}))).await;
        jobs.push(id);
    }
    let sink = Sink::start(&asker, &organization, &environment).await;
    let mut failing = Vec::new();
    for number in 0..3 {
        let body = job(&format!("failing {number}"), &registry, &image, "echo broken; exit 3");
        failing.push(post(&format!("/environment/{environment}/job"), body).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked =
        |word, jobs: &[String]| tokio::spawn(requests(Arc::clone(&asker), (word, jobs.to_vec()), Arc::clone(&stop)));
    let (manual, broken) = (asked("request", &jobs[..1]), asked("failing", &failing));
    let mut random = Random(u64::from(std::process::id()));
    for number in 0..kills {
        tokio::time::sleep(Duration::from_millis(200 + random.below(1500))).await;
        let which = usize::try_from(random.below(servers.count())).unwrap();
        servers.fault(number, which).await;
    }
    stop.store(true, SeqCst);
    let (runs, asked_to_fail) = (manual.await.unwrap(), broken.await.unwrap().len());
    for job in &jobs {
        asker.ask("POST", &format!("/job/{job}/stop"), None, Some(json!({}))).await;
    }
    let all = settled(&asker, &jobs).await;
    let heard = heard.lock().unwrap().clone();
    let cancelled = check(&asker, &all, &runs, &heard, kills).await;
    let broken = settled(&asker, &failing).await;
    assert_eq!(broken.len(), asked_to_fail, "a run that was accepted is not there");
    let (failed, told) = sink.check(&broken, &failing).await;
    let (late, started) = (latest(&all, "created_at"), latest(&all, "started_at"));
    // Of two servers one is always up.
    assert!(database.is_none() || late <= LATEST, "a time was stored {late} late");
    eprintln!(
        "{kills} faults on {} ({}): {} runs ({} manual), {} starts heard, none twice; {cancelled} cancelled at the end; \
         {failed} failed runs and {told} failing jobs told, none under two ids; \
         times were stored at most {:.1} s late, and started {:.1} s",
        if database.is_some() { "PostgreSQL" } else { "SQLite" },
        servers.done(),
        all.len(),
        runs.len(),
        heard.len(),
        late.as_seconds_f64(),
        started.as_seconds_f64(),
    );
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
