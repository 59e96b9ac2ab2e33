//! A burst of runs that clients request, as plain processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use windlass::clock::Clock;

use super::bench::Bench;
use super::http_client::{Connection, request};
use super::table::{Pair, Rounds, median, percentile};
use super::{bare, peers, rows, starts};

const RUNS: usize = 500;
const CLIENTS: usize = 16;

pub(crate) async fn measure(bench: &mut Bench) {
    let (mut seconds, mut slow) = (Rounds::default(), Rounds::default());
    let (mut floor, mut floor_slow, mut river) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        floor.push(starts::measure(&bench.program, RUNS).0);
        let server = bare::serve("{}");
        floor_slow.push(percentile(requests(&server.address, "/", "").await, 0.99));
        drop(server);
        for database in bench.databases() {
            let (one, other) = ours(bench, database).await;
            seconds.add(database, one);
            slow.add(database, other);
        }
        river.extend(peers::river(bench, "burst", RUNS).await.map(|(seconds, _)| seconds));
    }
    let what = format!("{RUNS} runs by API, until all are recorded");
    let seconds = seconds.median();
    bench.table.row(&what, "s", seconds, Some(("loop of starts", Pair::same(median(floor)))));
    if !river.is_empty() {
        bench.table.row("... beside a peer", "s", seconds, Some(("River", Pair::same(median(river)))));
    }
    let bare = Some(("bare handler", Pair::same(median(floor_slow))));
    bench.table.row("... 99th percentile of these requests", "ms", slow.median(), bare);
}

/// Sends the requests from several clients; returns their times in milliseconds.
async fn requests(address: &str, path: &str, token: &str) -> Vec<f64> {
    let sent = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, request) = (address.to_owned(), request("POST", path, token, Some("{}")));
            let sent = Arc::clone(&sent);
            tokio::task::spawn_blocking(move || {
                let mut connection = Connection::open(&address);
                let mut times = Vec::new();
                while sent.fetch_add(1, Ordering::Relaxed) < RUNS {
                    let begin = Instant::now();
                    connection.send(&request);
                    times.push(begin.elapsed().as_secs_f64() * 1000.0);
                }
                times
            })
        })
        .collect();
    let mut times = Vec::with_capacity(RUNS);
    for client in clients {
        times.extend(client.await.unwrap());
    }
    times
}

/// The seconds until all runs are recorded, and the time of the slowest requests in milliseconds.
async fn ours(bench: &Bench, database: usize) -> (f64, f64) {
    let installation = bench.install(database).await;
    let environment = rows::environment(&installation.db).await;
    let never = Clock::system().now() + chrono::TimeDelta::days(20);
    let job = rows::jobs(&installation.db, &environment, 1, &bench.program, never).await[0];
    let server = installation.serve(&["--runner", "process"]);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let begin = Instant::now();
    let path = format!("/job/{job}/run");
    let (times, ()) =
        tokio::join!(requests(&server.address, &path, &installation.token), installation.wait_for_runs(RUNS as u64));
    let seconds = begin.elapsed().as_secs_f64();
    drop(server);
    installation.end().await;
    (seconds, percentile(times, 0.99))
}
