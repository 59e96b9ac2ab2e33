//! What the engine does in a second, with a runner that does nothing, and what it costs when it has nothing to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its surroundings")]

use entity::job_spec;
use entity::run_spec;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser as _;
use entity::environment::Mode;
use entity::id::JobId;
use entity::{job, run};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _,
};
use tokio_util::sync::CancellationToken;
use windlass::access::authenticate::Authenticator;
use windlass::app::{App, Parts};
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::engine::cron::policy::Timing;
use windlass::engine::tick;
use windlass::runner::{Line, Lines, Runner, Runners, StepSpec, StepState, StepTimes, Stream, Target, Unavailable};
use windlass::secret::KeyRing;
use windlass::{bootstrap, engine, store};

/// Ends everything at once, and writes as many lines as it was told.
struct NoOp {
    lines: AtomicU64,
    line: String,
}

#[async_trait]
impl Runner for NoOp {
    fn target(&self) -> Target {
        Target::Docker
    }
    async fn place(&self) -> Result<String, Unavailable> {
        Ok("nowhere".into())
    }
    async fn start(&self, _step: &StepSpec) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn poll(&self, _name: &str) -> Result<StepState, Unavailable> {
        Ok(StepState::Exited { exit_code: 0, reason: None })
    }
    async fn times(&self, _name: &str) -> Result<StepTimes, Unavailable> {
        Ok(StepTimes::default())
    }
    async fn stop(&self, _name: &str, _grace: Duration) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn output(&self, _name: &str, _file: &str, _most: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(None)
    }
    async fn logs(&self, _name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let all = self.lines.load(Ordering::Relaxed);
        let count = usize::try_from(all.saturating_sub(skip)).unwrap().min(limit);
        let line = Line { at: Utc::now(), stream: Stream::Stdout, text: self.line.clone() };
        Ok(Lines { lines: vec![line; count], end: skip + count as u64 >= all })
    }
    async fn remove(&self, _name: &str) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        Ok(Vec::new())
    }
    async fn close(&self) {}
}

#[derive(clap::Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

async fn app(folder: &Path, url: &str, runner: &Arc<NoOp>) -> Arc<App> {
    let words = ["bench", "--database-url", url, "--log-mib", "100000"];
    let config = Config { data_dir: folder.to_owned(), ..Settings::parse_from(words).config };
    let db = store::connect(url, config.database_connections).await.unwrap();
    migration::run(&db).await.unwrap();
    let clock = Clock::system();
    Arc::new(App::from(Parts {
        keys: KeyRing::load_or_create(&folder.join("secret.key")).unwrap(),
        authenticator: Authenticator::new(db.clone(), clock.clone(), None),
        db,
        clock,
        config,
        runners: Runners {
            docker: runner.clone(),
            process: runner.clone(),
            local: Ok(Target::Docker),
            processes: false,
            clusters: Default::default(),
        },
        wake: windlass::liveness::wake::Wake::default(),
    }))
}

/// A place for jobs; another one each time.
async fn environment(app: &App) -> entity::environment::Model {
    let now = app.clock.now();
    let name = uuid::Uuid::now_v7().to_string();
    let organization =
        store::organization::create(&app.db, entity::organization::Model::new(&name, now)).await.unwrap();
    let cluster = store::cluster::create(&app.db, bootstrap::local_cluster(organization.id, now)).await.unwrap();
    let project = entity::project::Model::new(organization.id, name.as_str(), String::new(), now);
    let project = store::project::create(&app.db, project).await.unwrap();
    let environment = entity::environment::Model::new(&project, cluster.id, name, Mode::Development, now);
    store::environment::create(&app.db, environment).await.unwrap()
}

/// Deployed jobs of one kind, which come due when `due` says.
async fn fill(
    app: &App,
    count: usize,
    expression: &str,
    jitter: i32,
    due: impl Fn(&Timing) -> DateTime<Utc>,
) -> Vec<JobId> {
    let environment = environment(app).await;
    let spec = serde_json::json!({
        "cpu_milli": 100, "memory_mib": 64, "max_nb_restart": 0, "max_duration_seconds": 0, "auto_preview": false,
        "auto_deploy": false, "icon_uri": "app://qovery-console/cron-job",
        "source": {"type": "DOCKER", "dockerfile_raw": "FROM scratch"},
        "schedule": {"type": "CRON", "scheduled_at": expression, "timezone": "Etc/UTC",
            "command": {"entrypoint": "/bin/sh", "arguments": ["-c", "date"]}},
        "settings": {"cronjob.jitter_seconds": jitter, "cronjob.concurrency_policy": "Allow"},
    });
    let spec: job_spec::JobSpec = serde_json::from_value(spec).unwrap();
    let now = app.clock.now();
    let mut ids = Vec::with_capacity(count);
    let row = |number: usize| {
        let id = JobId::create();
        let job = job::Model {
            id,
            deployed: Some(spec.clone()),
            deployed_at: Some(now),
            built: Some(run_spec::BuiltImage { image: "built:1".into(), commit: None }),
            ..job::Model::new(&environment, &format!("job {number}"), spec.clone(), now)
        };
        let next_run_at = due(&Timing::of(id, &spec).unwrap().unwrap());
        (job, entity::job_schedule::Model { job_id: id, next_run_at })
    };
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(1000) {
        let (rows, times): (Vec<_>, Vec<_>) = chunk.iter().map(|number| row(*number)).unzip();
        ids.extend(rows.iter().map(|row| row.id));
        store::write(&app.db, async |tx| {
            let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
            job::Entity::insert_many(rows).exec_without_returning(tx).await?;
            let times = times.into_iter().map(|row| row.into_active_model().reset_all());
            entity::job_schedule::Entity::insert_many(times).exec_without_returning(tx).await.map(|_| ())
        })
        .await
        .unwrap();
    }
    ids
}

struct Table(Vec<(String, String)>);

impl Table {
    fn row(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        println!("{what}: {value}");
        self.0.push((what, value));
    }

    fn print(&self) {
        let width = self.0.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        println!();
        for (what, value) in &self.0 {
            println!("| {what:width$} | {value:>30} |");
        }
    }
}

/// A minute in which very many are due: how long until all of them are recorded.
async fn worst_minute(table: &mut Table, title: &str, app: &App, count: usize) {
    let now = app.clock.now();
    let minute = now - TimeDelta::seconds(now.timestamp() % 60);
    fill(app, count, "* * * * *", 0, |_| minute).await;
    let begin = Instant::now();
    // At one moment: the next minute would bring all of them again.
    while tick::plan(app, now).await.more {}
    let seconds = begin.elapsed().as_secs_f64();
    let recorded = run::Entity::find().count(&app.db).await.unwrap();
    assert!(recorded >= count as u64, "{recorded} of {count}");
    table.row(format!("{title}: a minute with {count} due, all recorded after"), format!("{seconds:.1} s"));
    table.row(format!("{title}: times recorded"), format!("{:.0} /s", count as f64 / seconds));
    job::Entity::delete_many().exec(&app.db).await.unwrap();
}

/// How late times become rows when a thousand come every second, while runs are started and ended beside it.
async fn lag(table: &mut Table, title: &str, app: &App) {
    let jobs =
        fill(app, 60_000, "* * * * *", 59, |timing| timing.next(app.clock.now() + TimeDelta::seconds(3)).unwrap())
            .await;
    let since = app.clock.now() + TimeDelta::seconds(5);
    let shutdown = CancellationToken::new();
    tokio::join!(engine::run(app, shutdown.clone()), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        shutdown.cancel();
    });
    let until = app.clock.now() - TimeDelta::seconds(3);
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>)> = run::Entity::find()
        .select_only()
        .columns([run::Column::ScheduledFor, run::Column::CreatedAt])
        .filter(run::Column::ScheduledFor.between(since, until))
        .into_tuple()
        .all(&app.db)
        .await
        .unwrap();
    let mut lags: Vec<f64> = rows.iter().map(|(at, created)| (*created - *at).as_seconds_f64() * 1000.0).collect();
    lags.sort_by(f64::total_cmp);
    let of = |part: f64| lags[((lags.len() - 1) as f64 * part) as usize];
    let rate = lags.len() as f64 / (until - since).as_seconds_f64();
    table.row(
        format!("{title}: lag at {rate:.0} due per second, p50, p99"),
        format!("{:.0} ms, {:.0} ms", of(0.5), of(0.99)),
    );
    let ended =
        run::Entity::find().filter(run::Column::State.eq(run::RunState::Succeeded)).count(&app.db).await.unwrap();
    table.row(format!("{title}: ... runs started and ended beside it"), format!("{:.0} /s", ended as f64 / 30.0));
    assert!(!jobs.is_empty());
    job::Entity::delete_many().exec(&app.db).await.unwrap();
}

/// Lines of one run, through masking to the database.
async fn ingest(table: &mut Table, title: &str, app: &App, runner: &NoOp) {
    let job = fill(app, 1, "0 0 1 1 *", 0, |timing| timing.next(app.clock.now()).unwrap()).await[0];
    let environment = store::job::by_id(&app.db, job).await.unwrap().unwrap().environment_id;
    for number in 0..20 {
        let value = format!("a secret value with number {number}");
        let organization_id = store::environment::by_id(&app.db, environment).await.unwrap().unwrap().organization_id;
        let kind = entity::variable::VariableKind::Value;
        let mut row = entity::variable::Model::empty(organization_id, kind, app.clock.now());
        row.sealed = Some(app.keys.seal(&windlass::secret::place("variable", row.id.0), value.as_bytes()).unwrap());
        let row =
            entity::variable::Model { job_id: Some(job), key: format!("SECRET_{number}"), is_secret: true, ..row };
        store::row::create(&app.db, row).await.unwrap();
    }
    let job = store::job::by_id(&app.db, job).await.unwrap().unwrap();
    // What is deployed keeps no variables here: the live ones are seen.
    store::job::set_deployed(&app.db, job.id, None, None, app.clock.now()).await.unwrap();
    let by = engine::requester::Requester {
        name: "bench".into(),
        origin: entity::deployment::Origin::Api,
        user_agent: None,
    };
    let lines = 2_000_000_u64;
    runner.lines.store(lines, Ordering::Relaxed);
    let asked = engine::manual::run(app, &by, &job, run::Event::Cron, Default::default(), None).await.unwrap();
    let (begin, cpu) = (Instant::now(), cpu_seconds(std::process::id()));
    loop {
        tick::work(app, app.clock.now()).await;
        let row = store::run::by_id(&app.db, asked.id).await.unwrap().unwrap();
        if row.state.is_final() {
            assert_eq!(u64::try_from(row.total_lines).unwrap(), lines);
            break;
        }
    }
    runner.lines.store(0, Ordering::Relaxed);
    let megabytes = (lines * (runner.line.len() as u64 + 1)) as f64 / 1e6;
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds(std::process::id()) - cpu);
    table.row(format!("{title}: log of one run, masked and stored"), format!("{:.0} MB/s", megabytes / wall));
    table.row(format!("{title}: ... per second of cpu"), format!("{:.0} MB", megabytes / cpu));
}

/// Cpu time of a process; the clock ticks of Linux are hundredths of a second.
fn cpu_seconds(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn memory_mib(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// A server that is ended when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn serve(folder: &Path, words: &[&str]) -> (Server, String, String) {
    let out = folder.join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir"]).arg(folder).args(words);
    command.stdout(std::fs::File::create(&out).unwrap()).stderr(Stdio::null());
    let server = Server(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
        let text = std::fs::read_to_string(&out).unwrap();
        let Some(url) = text.split_whitespace().find(|word| word.starts_with("http://")) else { continue };
        let token = text.split("TOKEN=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
        if !token.is_empty() || !text.contains("TOKEN") {
            return (server, url.to_owned(), token.to_owned());
        }
    }
}

/// A server with very many schedules of which none is due.
async fn idle(table: &mut Table, runner: &Arc<NoOp>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    let app = app(folder.path(), &url, runner).await;
    let far = app.clock.now() + TimeDelta::days(20);
    fill(&app, 1_000_000, "0 0 1 * *", 0, |_| far).await;
    drop(app);
    let (server, ..) = serve(folder.path(), &["--runner", "process"]);
    std::thread::sleep(Duration::from_secs(5));
    let before = cpu_seconds(server.0.id());
    std::thread::sleep(Duration::from_secs(30));
    let used = (cpu_seconds(server.0.id()) - before) / 30.0 * 100.0;
    table.row("SQLite: memory with 1,000,000 schedules", format!("{:.0} MiB", memory_mib(server.0.id())));
    table.row("SQLite: ... cpu while none is due", format!("{used:.2} % of a core"));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A run of a container, beside the same container started by hand.
async fn over_docker(table: &mut Table, image: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url, token) = serve(folder.path(), &["--runner", "docker", "--demo"]);
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let call = async |method: &str, path: &str, body: Option<serde_json::Value>| -> serde_json::Value {
        let request = client.request(method.parse().unwrap(), format!("{url}{path}"));
        let mut request = request.header("Authorization", format!("Token {token}"));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        request.send().await.unwrap().json().await.unwrap()
    };
    let organization = call("GET", "/organization", None).await["results"][0]["id"].as_str().unwrap().to_owned();
    let services = call("GET", &format!("/organization/{organization}/services"), None).await;
    let cron = services["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["job_type"] == "CRON" || one["name"].as_str().is_some());
    let job = cron.unwrap()["id"].as_str().unwrap().to_owned();
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    let (name, tag) = image.rsplit_once(':').unwrap();
    assert!(name.contains("busybox") && !tag.is_empty());
    for _ in 0..15 {
        let begin = Instant::now();
        let body = serde_json::json!({"entrypoint": "/bin/true", "arguments": []});
        let run = call("POST", &format!("/job/{job}/run"), Some(body)).await;
        let run = run["id"].as_str().unwrap().to_owned();
        loop {
            let state = call("GET", &format!("/run/{run}"), None).await["state"].as_str().unwrap().to_owned();
            match state.as_str() {
                "QUEUED" | "RUNNING" => tokio::time::sleep(Duration::from_millis(3)).await,
                "SUCCEEDED" => break,
                other => panic!("the run is {other}"),
            }
        }
        own.push(begin.elapsed().as_secs_f64() * 1000.0);
        let begin = Instant::now();
        let words = ["run", "--rm", "--cpus", "0.5", "--memory", "512m", "--entrypoint", "/bin/true", image];
        assert!(Command::new("docker").args(words).status().unwrap().success());
        plain.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let (own, plain) = (median(own), median(plain));
    table.row("docker run, and the same as a run", format!("{plain:.0} ms, {own:.0} ms"));
    table.row("... overhead", format!("{:.0} ms", own - plain));
}

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let wants = |what: &str| wanted.is_empty() || wanted.iter().any(|word| word == what);
    let mut table = Table(Vec::new());
    let line =
        "2026-11-25T03:04:05Z INFO request served path=/api/v1/things status=200 duration=12ms bytes=4312".to_owned();
    let runner = Arc::new(NoOp { lines: AtomicU64::new(0), line });
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    let mut databases = vec![("SQLite", sqlite)];
    match std::env::var("WINDLASS_TEST_DATABASE_URL") {
        Ok(url) => databases.push(("PostgreSQL", url)),
        Err(_) => table.row("PostgreSQL", "not there, not measured"),
    }
    for (title, url) in databases {
        let app = app(folder.path(), &url, &runner).await;
        if wants("ingest") {
            ingest(&mut table, title, &app, &runner).await;
        }
        if wants("minute") {
            worst_minute(&mut table, title, &app, 300_000).await;
        }
        if wants("lag") {
            lag(&mut table, title, &app).await;
        }
    }
    if wants("idle") {
        idle(&mut table, &runner).await;
    }
    match std::env::var("WINDLASS_TEST_DOCKER") {
        Ok(image) if wants("docker") => over_docker(&mut table, &image).await,
        Ok(_) => {}
        Err(_) => table.row("docker run", "no engine, not measured"),
    }
    table.print();
}
