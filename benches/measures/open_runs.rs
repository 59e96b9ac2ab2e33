//! The cost of ten thousand open runs, and of a short run beside them, with a runner that does nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use entity::run;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use tokio_util::sync::CancellationToken;
use windlass::app::App;
use windlass::clock::Clock;
use windlass::engine::manual::{self, RunOverrides};
use windlass::engine::requester::Requester;
use windlass::{engine, store};

use super::app::app;
use super::bench::Bench;
use super::database::SQLITE;
use super::no_op::ENDLESS;
use super::rows;
use super::server::Server;
use super::table::{Rounds, median};
use super::usage::{cpu_percent, written_bytes};

const OPEN: usize = 10_000;
const SHORT: usize = 21;
const WATCHED: Duration = Duration::from_secs(20);

pub(crate) async fn measure(bench: &mut Bench) {
    let mut figures: [Rounds; 4] = Default::default();
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let words = ["open-runs", installation.folder().to_str().unwrap(), &installation.url];
        let mut server = Server::spawn(&mut Server::own(&words));
        figures[0].add(database, server.numbers()[0]);
        server.line();
        let written = async || match database {
            SQLITE => written_bytes(server.id()),
            _ => wal_bytes(&installation.db).await,
        };
        let (begin, before) = (Instant::now(), written().await);
        let id = server.id();
        let cpu = tokio::task::spawn_blocking(move || cpu_percent(id, WATCHED)).await.unwrap();
        figures[1].add(database, cpu);
        figures[2].add(database, (written().await - before) / 1000.0 / begin.elapsed().as_secs_f64());
        figures[3].add(database, server.numbers()[0]);
        drop(server);
        installation.end().await;
    }
    let [alone, cpu, written, beside] = figures.map(Rounds::median);
    bench.table.row(&format!("{OPEN} open runs, CPU"), "% of a core", cpu, None);
    bench.table.row("... writes", "kB/s", written, None);
    bench.table.row("... a short run beside them", "ms", beside, Some(("alone", alone)));
}

/// The bytes of the write-ahead log of PostgreSQL so far.
async fn wal_bytes(db: &sea_orm::DatabaseConnection) -> f64 {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes";
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get("", "bytes").unwrap()
}

/// Prints how long a short run takes alone, an empty line once the runs are open, and the same after the parent has watched.
pub(crate) async fn child(folder: &str, url: &str) {
    let app = app(Path::new(folder), url).await;
    let environment = rows::environment(&app.db).await;
    let never = Clock::system().now() + chrono::TimeDelta::days(20);
    let short = rows::jobs(&app.db, &environment, 1, Path::new("short"), never).await[0];
    let open = rows::jobs(&app.db, &environment, 1, Path::new(ENDLESS), never).await[0];
    let shutdown = CancellationToken::new();
    let measured = async {
        println!("{}", short_run(&app, short).await);
        let job = store::job::by_id(&app.db, open).await.unwrap().unwrap();
        let spec = engine::deployment::run_spec(&job.spec, None, run::Event::Cron).unwrap();
        let row = || run::Model::queued(job.id, run::Event::Cron, spec.clone(), app.clock.now());
        for _ in 0..OPEN / 500 {
            let rows: Vec<_> = (0..500).map(|_| row()).collect();
            store::write(&app.db, async |tx| store::run::create(tx, rows).await).await.unwrap();
            app.wake.now();
        }
        let running = run::Entity::find().filter(run::Column::State.eq(run::RunState::Running));
        while running.clone().count(&app.db).await.unwrap() < OPEN as u64 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // What their start has caused is over.
        tokio::time::sleep(Duration::from_secs(5)).await;
        println!();
        tokio::time::sleep(WATCHED + Duration::from_secs(1)).await;
        println!("{}", short_run(&app, short).await);
        tokio::time::sleep(Duration::from_secs(60)).await;
    };
    tokio::join!(engine::run(&app, shutdown.clone()), measured);
}

/// The milliseconds from the request of a run to its recorded end.
async fn short_run(app: &App, job: entity::id::JobId) -> f64 {
    let origin = entity::deployment::Origin::Api;
    let by = Requester { name: "bench".into(), email: None, origin, user_agent: None };
    let job = store::job::by_id(&app.db, job).await.unwrap().unwrap();
    let mut times = Vec::new();
    for _ in 0..SHORT {
        let begin = Instant::now();
        let asked = manual::run(app, &by, &job, run::Event::Cron, RunOverrides::default(), None).await.unwrap();
        while !store::run::by_id(&app.db, asked.id).await.unwrap().unwrap().state.is_final() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    median(times)
}
