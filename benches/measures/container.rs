//! A run of a container, beside the same container started by the Docker command line.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use windlass::clock::Clock;

use super::bench::Bench;
use super::http_client::call;
use super::rows;
use super::table::{Pair, Rounds, median};

const RUNS: usize = 15;

pub(crate) async fn measure(bench: &mut Bench) {
    let Some(image) = bench.image.clone() else { return };
    let (mut own, mut plain) = (Rounds::default(), Vec::new());
    for database in bench.databases() {
        let installation = bench.install(database).await;
        let environment = rows::environment(&installation.db).await;
        let never = Clock::system().now() + chrono::TimeDelta::days(20);
        let program = std::path::Path::new("/bin/true");
        let job = rows::jobs(&installation.db, &environment, 1, program, never).await[0];
        let server = installation.serve(&["--runner", "docker"]);
        let (address, token) = (&server.address, &installation.token);
        for _ in 0..RUNS {
            let begin = Instant::now();
            let run = call(address, "POST", &format!("/job/{job}/run"), token, Some(json!({})));
            let path = format!("/run/{}", run["id"].as_str().unwrap());
            loop {
                match call(address, "GET", &path, token, None)["state"].as_str().unwrap() {
                    "QUEUED" | "RUNNING" => tokio::time::sleep(Duration::from_millis(3)).await,
                    state => break assert_eq!(state, "SUCCEEDED"),
                }
            }
            own.add(database, begin.elapsed().as_secs_f64() * 1000.0);
            let begin = Instant::now();
            let words = ["run", "--rm", "--cpus", "2", "--memory", "512m", "--entrypoint", "/bin/true", &image];
            assert!(Command::new("docker").args(words).status().unwrap().success());
            plain.push(begin.elapsed().as_secs_f64() * 1000.0);
        }
        drop(server);
        installation.end().await;
    }
    let plain = Some(("docker run", Pair::same(median(plain))));
    bench.table.row("A run in a container, until recorded", "ms", own.median(), plain);
}
