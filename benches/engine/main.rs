//! The throughput of the engine with a runner that does nothing, and its cost when it is idle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its surroundings")]

mod app;
mod docker;
mod no_op;
mod server;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{job, run};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _};
use tokio_util::sync::CancellationToken;
use windlass::app::App;
use windlass::engine::tick;
use windlass::{engine, store};

use self::app::{app, fill};
use self::docker::over_docker;
use self::no_op::NoOp;
use self::server::{cpu_seconds, memory_mib, serve};
use self::table::Table;

/// A minute in which very many jobs are due: the time until all of them are recorded.
async fn worst_minute(table: &mut Table, title: &str, app: &App, count: usize) {
    let now = app.clock.now();
    let minute = now - TimeDelta::seconds(now.timestamp() % 60);
    fill(app, count, "* * * * *", 0, |_| minute).await;
    let begin = Instant::now();
    // The clock stands still, because all of them are due again in the next minute.
    while tick::plan(app, now).await.more {}
    let seconds = begin.elapsed().as_secs_f64();
    let recorded = run::Entity::find().count(&app.db).await.unwrap();
    assert!(recorded >= count as u64, "{recorded} of {count}");
    table.row(format!("{title}: a minute with {count} due, all recorded after"), format!("{seconds:.1} s"));
    table.row(format!("{title}: times recorded"), format!("{:.0} /s", count as f64 / seconds));
    job::Entity::delete_many().exec(&app.db).await.unwrap();
}

/// The delay of scheduled times when a thousand are due every second, while runs start and end.
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

/// The lines of one run, from masking to the database.
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
    // The deployed jobs have no copies of variables, so the current ones are used.
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

/// A server with very many schedules, none of which is due.
async fn idle(table: &mut Table, runner: &Arc<NoOp>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    let app = app(folder.path(), &url, runner).await;
    let far = app.clock.now() + TimeDelta::days(20);
    fill(&app, 1_000_000, "0 0 1 * *", 0, |_| far).await;
    drop(app);
    let (server, ..) = serve(folder.path(), &["--runner", "process"]);
    std::thread::sleep(Duration::from_secs(5));
    let before = cpu_seconds(server.id());
    std::thread::sleep(Duration::from_secs(30));
    let used = (cpu_seconds(server.id()) - before) / 30.0 * 100.0;
    table.row("SQLite: memory with 1,000,000 schedules", format!("{:.0} MiB", memory_mib(server.id())));
    table.row("SQLite: ... cpu while none is due", format!("{used:.2} % of a core"));
}

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let wants = |what: &str| wanted.is_empty() || wanted.iter().any(|word| word == what);
    let mut table = Table::default();
    let line =
        "2026-11-25T03:04:05Z INFO request served path=/api/v1/things status=200 duration=12ms bytes=4312".to_owned();
    let runner = Arc::new(NoOp { lines: AtomicU64::new(0), line });
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display());
    let mut databases = vec![("SQLite", sqlite)];
    match std::env::var("WINDLASS_TEST_DATABASE_URL") {
        Ok(url) => databases.push(("PostgreSQL", url)),
        Err(_) => table.row("PostgreSQL", "not available, not measured"),
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
