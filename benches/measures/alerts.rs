//! What rules of alerts cost while nothing happens, and how soon after the end of its run a failure is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Condition, Model as Rule, Receivers, Severity, Target};
use entity::id::{AlertReceiverId, AlertRuleId, JobId};
use entity::{alert_rule, environment, job_success, run};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseConnection, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _,
};
use serde_json::json;
use windlass::clock::Clock;

use super::bench::Bench;
use super::database::Installation;
use super::http_client::call;
use super::rows;
use super::table::{Rounds, median, percentile};
use super::usage::cpu_percent;

const JOBS: usize = 10_000;
const RULES: usize = 1000;
/// How many failures are told, each by a rule of its own: messages of one rule wait for each other.
const FAILURES: usize = 20;
/// How long a server is left alone first.
const SETTLED: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_secs(60);
/// How long a message is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// All conditions, so that each pass of the loop has something to look for.
const CONDITIONS: [Condition; 10] = [
    Condition::RunFailed,
    Condition::RunRecovered,
    Condition::RunMissed,
    Condition::RunLate,
    Condition::RunTooLong,
    Condition::NoSuccessFor,
    Condition::DeploymentFailed,
    Condition::ApprovalWaiting,
    Condition::WorkspaceDrifted,
    Condition::ClusterUnreachable,
];

pub(crate) async fn measure(bench: &mut Bench) {
    let (jobs, rules) = (JOBS / bench.divisor, RULES / bench.divisor);
    let (mut cpu, mut floor) = (Rounds::default(), Rounds::default());
    let (mut middle, mut late) = (Rounds::default(), Rounds::default());
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let environment = rows::environment(&installation.db).await;
        let never = Clock::system().now() + TimeDelta::days(20);
        let mut all = rows::jobs(&installation.db, &environment, jobs, &bench.program, never).await;
        let failing = rows::jobs(&installation.db, &environment, FAILURES, Path::new("/bin/false"), never).await;
        all.extend(&failing);
        deployed(&installation.db, &environment, &all).await;
        floor.add(database, idle(&installation).await);
        let (told, address) = sink();
        let receiver = receiver(&installation, &environment, &address);
        add_rules(&installation.db, &environment, rules.saturating_sub(FAILURES), &all).await;
        add_told_rules(&installation.db, &environment, receiver, &failing).await;
        cpu.add(database, idle(&installation).await);
        let delays = delays(&installation, &failing, &told).await;
        middle.add(database, median(delays.clone()));
        late.add(database, percentile(delays, 1.0));
        installation.end().await;
    }
    let what = format!("{rules} rules over {jobs} jobs, idle, CPU");
    bench.table.row(&what, "% of a core", cpu.median(), Some(("without rules", floor.median())));
    bench.table.row("... from the end of a failed run to its message", "s", middle.median(), None);
    bench.table.row("... the slowest", "s", late.median(), None);
}

/// The share of a core that a server uses while nothing happens.
async fn idle(installation: &Installation) -> f64 {
    let server = installation.serve(&["--runner", "process", "--webhook-private-addresses"]);
    tokio::time::sleep(SETTLED).await;
    let id = server.id();
    tokio::task::spawn_blocking(move || cpu_percent(id, WATCHED)).await.unwrap()
}

/// Begins to count since when the jobs have had no success.
async fn deployed(db: &DatabaseConnection, environment: &environment::Model, jobs: &[JobId]) {
    let since = Clock::system().now();
    for chunk in jobs.chunks(1000) {
        let row = |job: &JobId| {
            let organization_id = environment.organization_id;
            job_success::Model { job_id: *job, organization_id, since }.into_active_model().reset_all()
        };
        job_success::Entity::insert_many(chunk.iter().map(row)).exec_without_returning(db).await.unwrap();
    }
}

fn rule(environment: &environment::Model, condition: Condition, target: Target) -> Rule {
    let now = environment.created_at;
    Rule {
        id: AlertRuleId::create(),
        organization_id: environment.organization_id,
        cluster_id: environment.cluster_id,
        created_at: now,
        updated_at: now,
        name: "bench".into(),
        description: String::new(),
        tag: String::new(),
        condition,
        // Nothing lasts a day.
        threshold: Some(86_400).filter(|_| condition != Condition::RunFailed),
        reasons: None,
        times_p95: None,
        operator: None,
        function: None,
        for_seconds: 0,
        severity: Severity::High,
        enabled: true,
        receivers: Receivers::default(),
        summary: None,
        runbook_url: None,
        target,
        project_id: None,
        environment_id: None,
        job_id: None,
        label_key: None,
        label_value: None,
    }
}

/// Rules of all conditions about jobs, the environment, its project and the organization.
async fn add_rules(db: &DatabaseConnection, environment: &environment::Model, count: usize, jobs: &[JobId]) {
    let targets = [Target::Organization, Target::Project, Target::Environment, Target::Job];
    let one = |number: usize| {
        let target = targets[number / CONDITIONS.len() % targets.len()];
        Rule {
            project_id: Some(environment.project_id).filter(|_| target == Target::Project),
            environment_id: Some(environment.id).filter(|_| target == Target::Environment),
            job_id: Some(jobs[number % jobs.len()]).filter(|_| target == Target::Job),
            ..rule(environment, CONDITIONS[number % CONDITIONS.len()], target)
        }
    };
    insert(db, (0..count).map(one)).await;
}

/// A rule with a receiver for each of some jobs.
async fn add_told_rules(
    db: &DatabaseConnection,
    environment: &environment::Model,
    receiver: AlertReceiverId,
    jobs: &[JobId],
) {
    let one = |job: &JobId| Rule {
        job_id: Some(*job),
        receivers: Receivers(vec![receiver]),
        ..rule(environment, Condition::RunFailed, Target::Job)
    };
    insert(db, jobs.iter().map(one)).await;
}

async fn insert(db: &DatabaseConnection, rules: impl Iterator<Item = Rule>) {
    for rule in rules {
        alert_rule::Entity::insert(rule.into_active_model().reset_all()).exec_without_returning(db).await.unwrap();
    }
}

fn receiver(installation: &Installation, environment: &environment::Model, address: &str) -> AlertReceiverId {
    let server = installation.serve(&["--runner", "process", "--webhook-private-addresses"]);
    let body = json!({
        "organization_id": environment.organization_id, "name": "sink", "description": "", "type": "WEBHOOK",
        "send_resolved": false, "url": format!("http://{address}/"),
    });
    let made = call(&server.address, "POST", "/alert-receivers", &installation.token, Some(body));
    AlertReceiverId(made["id"].as_str().unwrap().parse().unwrap())
}

/// The seconds from the end of each failed run to the arrival of its message.
async fn delays(installation: &Installation, jobs: &[JobId], told: &Receiver<DateTime<Utc>>) -> Vec<f64> {
    let server = installation.serve(&["--runner", "process", "--webhook-private-addresses"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut delays = Vec::new();
    for job in jobs {
        call(&server.address, "POST", &format!("/job/{job}/run"), &installation.token, Some(json!({})));
        let arrived = tokio::task::block_in_place(|| told.recv_timeout(PATIENCE).expect("a failed run is told"));
        let newest = run::Entity::find().filter(run::Column::JobId.eq(*job)).order_by_desc(run::Column::Number);
        let run = newest.one(&installation.db).await.unwrap().unwrap();
        delays.push((arrived - run.finished_at.unwrap()).as_seconds_f64());
    }
    delays
}

/// Accepts requests, and tells when each arrived.
fn sink() -> (Receiver<DateTime<Utc>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (arrived, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let arrived = arrived.clone();
            std::thread::spawn(move || answer(&stream, &arrived));
        }
    });
    (told, address)
}

/// Answers the requests of a connection.
fn answer(stream: &TcpStream, arrived: &Sender<DateTime<Utc>>) {
    let (mut lines, mut length, mut line) = (BufReader::new(stream), 0, String::new());
    while lines.read_line(&mut line).is_ok_and(|count| count > 0) {
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            let _heard = arrived.send(Clock::system().now());
            let mut stream = stream;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
        line.clear();
    }
}
