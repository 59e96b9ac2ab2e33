//! What a server costs while nothing happens.

use std::time::{Duration, Instant};

use windlass::clock::Clock;

use super::bench::Bench;
use super::database::program;
use super::http_client::call;
use super::rows;
use super::table::{Pair, Rounds};
use super::usage::{cpu_percent, pss_mib};

/// How long a server is left alone first.
const SETTLED: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_secs(60);

/// An empty installation.
pub(crate) async fn empty(bench: &mut Bench) {
    let [cpu, memory, start] = watch(bench, 0).await;
    bench.table.row("Idle server, CPU", "% of a core", cpu, None);
    bench.table.row("... memory (PSS)", "MiB", memory, None);
    bench.table.row("... start to first answer", "ms", start, None);
    let size = std::fs::metadata(program()).unwrap().len();
    bench.table.row("... binary", "MB", Pair::same(f64::from(u32::try_from(size).unwrap()) / 1e6), None);
}

/// With very many schedules, none of which is due.
pub(crate) async fn schedules(bench: &mut Bench) {
    let count = 1_000_000 / bench.divisor;
    let [cpu, memory, _] = watch(bench, count).await;
    bench.table.row(&format!("{count} schedules, none due, CPU"), "% of a core", cpu, None);
    bench.table.row("... memory (PSS)", "MiB", memory, None);
}

async fn watch(bench: &Bench, schedules: usize) -> [Pair; 3] {
    let mut figures: [Rounds; 3] = Default::default();
    for database in bench.databases() {
        let installation = bench.install(database).await;
        if schedules > 0 {
            let environment = rows::environment(&installation.db).await;
            let never = Clock::system().now() + chrono::TimeDelta::days(20);
            rows::jobs(&installation.db, &environment, schedules, &bench.program, never).await;
        }
        let begin = Instant::now();
        let server = installation.serve(&["--runner", "process"]);
        call(&server.address, "GET", "/organization", &installation.token, None);
        figures[2].add(database, begin.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(SETTLED).await;
        let id = server.id();
        let cpu = tokio::task::spawn_blocking(move || cpu_percent(id, WATCHED)).await.unwrap();
        figures[0].add(database, cpu);
        figures[1].add(database, pss_mib(id));
        drop(server);
        installation.end().await;
    }
    figures.map(Rounds::median)
}
