//! Other schedulers and queues, built by `cargo xtask bench --peers`, with the same program. One that was not built is left out.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{Datelike as _, TimeDelta, Timelike as _};
use windlass::clock::Clock;

use super::AT_ONCE;
use super::bench::Bench;
use super::database::{Installation, POSTGRESQL};
use super::server::Server;
use super::usage::cpu_seconds;

/// Jobs that are due at one instant: the name of each peer, its seconds until all are recorded, and the CPU milliseconds per run.
pub(crate) async fn due(bench: &Bench, jobs: usize) -> Vec<(&'static str, f64, f64)> {
    let river = river(bench, "due", jobs).await.map(|(seconds, cpu)| ("River", seconds, cpu));
    let supercronic = supercronic(bench, jobs).map(|(seconds, cpu)| ("supercronic", seconds, cpu));
    river.into_iter().chain(supercronic).collect()
}

/// River, on a PostgreSQL database of its own: `due` inserts all jobs before its worker starts, `burst` one by one while it works.
pub(crate) async fn river(bench: &Bench, task: &str, jobs: usize) -> Option<(f64, f64)> {
    let program = bench.peers.as_ref()?.join("river").join("river");
    if !program.exists() || bench.cluster.is_none() {
        return None;
    }
    let installation = Installation::new(POSTGRESQL, bench.cluster.as_deref()).await;
    let mut command = Command::new(program);
    command.args([task, &installation.url]).arg(&bench.program).args([jobs.to_string(), AT_ONCE.to_string()]);
    let numbers = Server::spawn(&mut command).numbers();
    installation.end().await;
    Some((numbers[0], numbers[1] * 1000.0 / jobs as f64))
}

/// supercronic, with a line for each job; it logs the end of each, but keeps no record.
fn supercronic(bench: &Bench, jobs: usize) -> Option<(f64, f64)> {
    let program = bench.peers.as_ref()?.join("supercronic").join("supercronic");
    if !program.exists() {
        return None;
    }
    let due = Clock::system().now() + TimeDelta::seconds(4);
    let (second, minute, hour) = (due.second(), due.minute(), due.hour());
    let mut text = String::new();
    for _ in 0..jobs {
        let (day, month, year) = (due.day(), due.month(), due.year());
        let program = bench.program.display();
        writeln!(text, "{second} {minute} {hour} {day} {month} * {year} {program}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crontab");
    std::fs::write(&file, text).unwrap();
    let log = folder.path().join("log");
    let mut command = Command::new(program);
    command.arg("-passthrough-logs").arg(&file).env("TZ", "UTC").stdout(Stdio::null());
    let mut child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let due = due - TimeDelta::nanoseconds(i64::from(due.nanosecond()));
    std::thread::sleep((due - Clock::system().now()).to_std().unwrap());
    let (begin, before) = (Instant::now(), cpu_seconds(child.id()));
    while std::fs::read_to_string(&log).unwrap().matches("job succeeded").count() < jobs {
        assert!(begin.elapsed() < Duration::from_secs(60), "supercronic did not run its jobs");
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = (cpu_seconds(child.id()) - before) * 1000.0 / jobs as f64;
    child.kill().unwrap();
    child.wait().unwrap();
    Some((seconds, cpu))
}
