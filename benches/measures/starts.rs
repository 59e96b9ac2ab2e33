//! The floor of a run: the same program, started as often and with as many at once, recording nothing.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use super::server::Server;
use super::usage::cpu_seconds;

/// Starts a program, and prints the seconds until all have ended and the CPU seconds, theirs included.
pub(crate) async fn child(program: &str, count: usize, at_once: usize) {
    let slots = Arc::new(tokio::sync::Semaphore::new(at_once));
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let slot = Arc::clone(&slots).acquire_owned().await.unwrap();
        let mut command = tokio::process::Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        tasks.spawn(async move {
            assert!(command.status().await.unwrap().success());
            drop(slot);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    println!("{} {}", begin.elapsed().as_secs_f64(), cpu_seconds(std::process::id()));
}

/// Runs it as a process of its own; returns the seconds and the CPU milliseconds per start.
pub(crate) fn measure(program: &std::path::Path, count: usize) -> (f64, f64) {
    let words = ["starts", program.to_str().unwrap(), &count.to_string(), &super::AT_ONCE.to_string()];
    let numbers = Server::spawn(&mut Server::own(&words)).numbers();
    (numbers[0], numbers[1] * 1000.0 / count as f64)
}
