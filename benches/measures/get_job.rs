//! The CPU of `GET /job/{jobId}`: each server is a process of its own on one core, the load comes from another.

use std::time::{Duration, Instant};

use windlass::clock::Clock;

use super::bench::Bench;
use super::http_client::{Connection, request};
use super::server::Server;
use super::table::Rounds;
use super::usage::cpu_seconds;
use super::{bare, rows};

const CONNECTIONS: usize = 16;
const LENGTH: Duration = Duration::from_secs(3);
const PINNED: [&str; 3] = ["taskset", "-c", "0"];

pub(crate) async fn measure(bench: &mut Bench) {
    let (mut cpu, mut floor) = (Rounds::default(), Rounds::default());
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let environment = rows::environment(&installation.db).await;
        let never = Clock::system().now() + chrono::TimeDelta::days(20);
        let job = rows::jobs(&installation.db, &environment, 1000, &bench.program, never).await[0];
        let server = installation.serve_on(&PINNED, &["--runner", "process"]);
        let own = request("GET", &format!("/job/{job}"), &installation.token, None);
        let body = String::from_utf8(Connection::open(&server.address).send(&own).to_vec()).unwrap();
        let bare = bare::serve_on(&PINNED, &body);
        let plain = request("GET", "/", "", None);
        load(&server, &own, Duration::from_secs(1)).await;
        load(&bare, &plain, Duration::from_secs(1)).await;
        for _ in 0..bench.rounds {
            floor.add(database, load(&bare, &plain, LENGTH).await);
            cpu.add(database, load(&server, &own, LENGTH).await);
        }
        drop(server);
        installation.end().await;
    }
    bench.table.row("GET /job/{jobId}, CPU", "us", cpu.median(), Some(("bare handler, same bytes", floor.median())));
}

/// Repeats a request on several connections; returns the CPU microseconds of one.
async fn load(server: &Server, request: &[u8], length: Duration) -> f64 {
    let (before, end) = (cpu_seconds(server.id()), Instant::now() + length);
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, request) = (server.address.clone(), request.to_vec());
            tokio::task::spawn_blocking(move || {
                let mut connection = Connection::open(&address);
                let mut count = 0_u32;
                while Instant::now() < end {
                    connection.send(&request);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for worker in workers {
        count += worker.await.unwrap();
    }
    (cpu_seconds(server.id()) - before) * 1e6 / f64::from(count)
}
