//! What the server costs, beside the least that the same could cost, on SQLite and on PostgreSQL, in one table.
//!
//! Each figure is measured in turn with its floor, several times, and the medians are compared: ratios of one run can be
//! compared with those of another run, and seconds cannot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time and chooses its surroundings")]

mod alerts;
mod app;
mod bare;
mod bench;
mod burst;
mod console;
mod container;
mod database;
mod due;
mod get_job;
mod http_client;
mod idle;
mod lines;
mod many_jobs;
mod minute;
mod no_op;
mod open_runs;
mod peers;
mod program;
mod rows;
mod server;
mod starts;
mod table;
mod usage;
mod workspace;

use self::bench::Bench;

/// The default of `--max-runs`, which is also that of the floor and of the peers.
const AT_ONCE: usize = 16;

const NAMES: [&str; 15] = [
    "due",
    "burst",
    "open",
    "lines",
    "container-lines",
    "get",
    "statuses",
    "create",
    "idle",
    "schedules",
    "alerts",
    "minute",
    "container",
    "workspace",
    "console",
];

async fn measure(name: &str, bench: &mut Bench) {
    match name {
        "due" => due::measure(bench).await,
        "burst" => burst::measure(bench).await,
        "open" => open_runs::measure(bench).await,
        "lines" => lines::process(bench).await,
        "container-lines" => lines::container(bench).await,
        "get" => get_job::measure(bench).await,
        "statuses" => many_jobs::statuses(bench).await,
        "create" => many_jobs::create(bench).await,
        "idle" => idle::empty(bench).await,
        "schedules" => idle::schedules(bench).await,
        "alerts" => alerts::measure(bench).await,
        "minute" => minute::measure(bench).await,
        "container" => container::measure(bench).await,
        "workspace" => workspace::measure(bench).await,
        "console" => console::measure(bench).await,
        other => panic!("there is no measure {other}; the measures are {}", NAMES.join(", ")),
    }
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["bare", file] => return bare::child(file).await,
        ["starts", program, count, at_once] => {
            return starts::child(program, count.parse().unwrap(), at_once.parse().unwrap()).await;
        }
        ["open-runs", folder, url] => return open_runs::child(folder, url).await,
        _ => {}
    }
    let folder = tempfile::tempdir().unwrap();
    let variable = |name: &str| std::env::var(name).ok();
    let mut bench = Bench {
        table: table::Table::default(),
        rounds: variable("WINDLASS_BENCH_ROUNDS").map_or(3, |text| text.parse().unwrap()),
        program: program::build(folder.path()),
        image: variable("WINDLASS_TEST_DOCKER"),
        peers: variable("WINDLASS_BENCH_PEERS").map(Into::into),
        divisor: variable("WINDLASS_BENCH_DIVISOR").map_or(1, |text| text.parse().unwrap()),
        cluster: variable("WINDLASS_TEST_DATABASE_URL"),
    };
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let before = load();
    for name in if words.is_empty() { &NAMES[..] } else { &words[..] } {
        measure(name, &mut bench).await;
    }
    if bench.cluster.is_none() {
        bench.table.line("PostgreSQL: no server, not measured.".into());
    }
    bench.table.line(format!("Load averages before {} and after {}.", before.trim(), load().trim()));
    bench.table.print();
}
