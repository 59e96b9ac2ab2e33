//! Programs that write 100 MB of lines: as a process beside a loop that reads a pipe, and as a container beside
//! `docker logs`, which follows the same container to its end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use entity::id::RunId;
use entity::run::RunState;
use serde_json::json;
use windlass::clock::Clock;
use windlass::store;

use super::bench::Bench;
use super::database::Installation;
use super::http_client::call;
use super::rows;
use super::table::{Pair, Rounds, median};

const LINES: usize = 1_000_000;

pub(crate) async fn process(bench: &mut Bench) {
    let command = vec![bench.program.display().to_string(), "lines".into(), LINES.to_string()];
    let (mut seconds, mut floor) = (Rounds::default(), Vec::new());
    for _ in 0..bench.rounds {
        floor.push(timed(Command::new(&command[0]).args(&command[1..])));
        for database in bench.databases() {
            let installation = bench.install(database).await;
            seconds.add(database, ours(&installation, "process", &command).await);
            installation.end().await;
        }
    }
    let floor = Some(("reading its pipe", Pair::same(median(floor))));
    bench.table.row("100 MB of lines by a process, until all are stored", "s", seconds.median(), floor);
}

pub(crate) async fn container(bench: &mut Bench) {
    let Some(image) = bench.image.clone() else {
        bench.table.line("Containers: no Docker engine, not measured.".into());
        return;
    };
    let line = ".".repeat(99);
    let command: Vec<String> = ["sh", "-c", &format!("yes {line} | head -n {LINES}")].map(str::to_owned).to_vec();
    let (mut seconds, mut floor) = (Rounds::default(), Vec::new());
    for _ in 0..bench.rounds {
        let begin = Instant::now();
        let started = Command::new("docker").args(["run", "--detach", &image]).args(&command).output().unwrap();
        let id = String::from_utf8(started.stdout).unwrap();
        timed(Command::new("docker").args(["logs", "--follow", id.trim()]));
        floor.push(begin.elapsed().as_secs_f64());
        let removed = Command::new("docker").args(["rm", "--force", id.trim()]).stdout(Stdio::null()).status();
        assert!(removed.unwrap().success());
        for database in bench.databases() {
            let installation = bench.install(database).await;
            seconds.add(database, ours(&installation, "docker", &command).await);
            installation.end().await;
        }
    }
    let floor = Some(("docker run, docker logs --follow", Pair::same(median(floor))));
    bench.table.row("100 MB of lines by a container, until all are stored", "s", seconds.median(), floor);
}

/// The seconds until a program has ended and all that it wrote was read.
fn timed(command: &mut Command) -> f64 {
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let bytes = std::io::copy(child.stdout.as_mut().unwrap(), &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success() && bytes == 100 * LINES as u64, "{bytes} bytes");
    begin.elapsed().as_secs_f64()
}

/// The seconds from the request of a run to its recorded end, with all of its lines.
async fn ours(installation: &Installation, runner: &str, command: &[String]) -> f64 {
    let environment = rows::environment(&installation.db).await;
    let never = Clock::system().now() + chrono::TimeDelta::days(20);
    let job = rows::jobs(&installation.db, &environment, 1, std::path::Path::new("none"), never).await[0];
    let server = installation.serve(&["--runner", runner, "--log-mib", "1000"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (address, token) = (&server.address, &installation.token);
    let begin = Instant::now();
    let body = json!({"entrypoint": command[0], "arguments": command[1..]});
    let run = call(address, "POST", &format!("/job/{job}/run"), token, Some(body));
    let id = RunId(run["id"].as_str().unwrap().parse().unwrap());
    loop {
        let run = store::run::by_id(&installation.db, id).await.unwrap().unwrap();
        if run.state.is_final() {
            // A line that a program wrote in two parts, with a pause between them, may count as two.
            assert!(run.state == RunState::Succeeded && run.total_lines >= LINES as i64, "{run:?}");
            return begin.elapsed().as_secs_f64();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
