//! A thousand jobs due at one instant, as plain processes.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use windlass::clock::Clock;

use super::bench::Bench;
use super::peers;
use super::table::{Pair, Rounds, median};
use super::usage::tree_cpu_seconds;
use super::{rows, starts};

const JOBS: usize = 1000;

pub(crate) async fn measure(bench: &mut Bench) {
    let (mut seconds, mut cpu) = (Rounds::default(), Rounds::default());
    let (mut floor_seconds, mut floor_cpu) = (Vec::new(), Vec::new());
    let mut peers: Vec<(&str, Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..bench.rounds {
        let (one, other) = starts::measure(&bench.program, JOBS);
        floor_seconds.push(one);
        floor_cpu.push(other);
        for database in bench.databases() {
            let (one, other) = ours(bench, database).await;
            seconds.add(database, one);
            cpu.add(database, other);
        }
        for (name, one, other) in peers::due(bench, JOBS).await {
            match peers.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, seconds, cpu)) => {
                    seconds.push(one);
                    cpu.push(other);
                }
                None => peers.push((name, vec![one], vec![other])),
            }
        }
    }
    let (seconds, cpu) = (seconds.median(), cpu.median());
    let what = format!("{JOBS} jobs due at one instant, until all are recorded");
    bench.table.row(&what, "s", seconds, Some(("loop of starts", Pair::same(median(floor_seconds)))));
    bench.table.row("... CPU per run", "ms", cpu, Some(("loop of starts", Pair::same(median(floor_cpu)))));
    for (name, peer_seconds, peer_cpu) in peers {
        bench.table.row("... beside a peer", "s", seconds, Some((name, Pair::same(median(peer_seconds)))));
        bench.table.row("... CPU per run beside a peer", "ms", cpu, Some((name, Pair::same(median(peer_cpu)))));
    }
}

/// The seconds until all runs are recorded, and the CPU milliseconds per run, those of the program included.
async fn ours(bench: &Bench, database: usize) -> (f64, f64) {
    let installation = bench.install(database).await;
    let environment = rows::environment(&installation.db).await;
    // Late enough for the server to be idle again after its start.
    let due = Clock::system().now() + TimeDelta::seconds(6);
    rows::jobs(&installation.db, &environment, JOBS, &bench.program, due).await;
    let server = installation.serve(&["--runner", "process"]);
    tokio::time::sleep((due - Clock::system().now()).to_std().unwrap() - Duration::from_millis(100)).await;
    let before = tree_cpu_seconds(server.id());
    tokio::time::sleep((due - Clock::system().now()).to_std().unwrap_or_default()).await;
    let begin = Instant::now();
    installation.wait_for_runs(JOBS as u64).await;
    let seconds = begin.elapsed().as_secs_f64();
    // The last processes are waited for.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let cpu = (tree_cpu_seconds(server.id()) - before) * 1000.0 / JOBS as f64;
    drop(server);
    installation.end().await;
    (seconds, cpu)
}
