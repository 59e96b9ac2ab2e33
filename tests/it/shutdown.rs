//! The orderly shutdown of the program: what it waits for, what it stores, and how it is cut short.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use serde_json::json;

use crate::harness::wait_for;
use crate::server::{Server, done};

/// A server with a plain process that runs a script, whose log begins with the line `ready`.
async fn serving(folder: &std::path::Path, more: &[&str], script: &str) -> (Server, String, String) {
    let words = [&["serve", "--demo", "--runner", "process"], more].concat();
    let server = Server::start(folder, &words, None);
    let job = server.deploy("interrupted", script).await;
    let run = server.run(&job, 30, |run| run["started_at"].is_string()).await;
    let path = format!("/run/{}/log", run["id"].as_str().unwrap());
    wait_for("the first line of the log", async || {
        server.call("GET", &path, None).await.2.starts_with("ready").then_some(())
    })
    .await;
    (server, job, path)
}

/// A process that handles SIGTERM is waited for, and everything it does until its end is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_gets_time_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'echo stopping; sleep 2; echo stopped; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    let (server, job, path) = serving(folder.path(), &["--stop-grace-seconds", "20"], script).await;
    server.terminate();
    // Requests are answered meanwhile.
    wait_for("the readiness check to fail", async || {
        let (status, body, _) = server.call("GET", "/health/ready", None).await;
        (status == 503 && body["engine"] == "shutting down").then_some(())
    })
    .await;
    assert_eq!(server.call("GET", "/health/live", None).await.0, 200);
    // A run that is requested now is kept for the next server.
    let (status, later, text) =
        server.call("POST", &format!("/job/{job}/run"), Some(json!({"arguments": ["-c", "echo later"]}))).await;
    assert_eq!(status, 202, "{text}");
    let (code, token) = server.ended();
    assert_eq!(code, Some(0));
    let server = Server::start(folder.path(), &["serve", "--runner", "process"], Some(&token));
    let (_, _, log) = server.call("GET", &path, None).await;
    // Some shells report that their child got the signal, too.
    let lines: Vec<&str> = log.lines().filter(|line| *line != "Terminated").collect();
    assert_eq!(lines, ["ready", "stopping", "stopped"]);
    let run = server.get(path.trim_end_matches("/log")).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(0)), "{run}");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.starts_with("the server shut down and stopped the run: exit code 0"), "{reason}");
    let later = server.run(&job, 30, |run| run["id"] == later["id"] && done(run)).await;
    assert_eq!(later["state"], "SUCCEEDED", "{later}");
}

/// A process that ignores SIGTERM is killed after the grace period of the server, and its run says so. A run with attempts left is
/// retried by the next server.
#[tokio::test(flavor = "multi_thread")]
async fn a_stubborn_process_is_killed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let more = ["--shutdown-grace-seconds", "1", "--stop-grace-seconds", "600"];
    let (server, _, path) = serving(folder.path(), &more, script).await;
    server.terminate();
    let (code, token) = server.ended();
    assert_eq!(code, Some(0));
    let server = Server::start(folder.path(), &["serve", "--runner", "process"], Some(&token));
    let run = server.get(path.trim_end_matches("/log")).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(137)), "{run}");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.starts_with("the server shut down and stopped the run: killed by signal 9"), "{reason}");
}

/// A signal that arrives while the server starts is not lost and does not kill it, however early: here, while the greeting is being
/// written to a reader that does not read.
#[test]
fn a_signal_before_the_greeting_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut program = crate::server::command(folder.path());
    let mut child = program.arg("serve").env("WINDLASS_LISTEN", address.to_string()).stdout(writer).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "the server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    drop(program);
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.contains("TOKEN="), "the first token was created and not shown: {said}");
}

/// A second signal ends the server without waiting, and its processes with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_server_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo ready $$; while :; do sleep 0.1; done";
    let (server, _, path) = serving(folder.path(), &["--stop-grace-seconds", "600"], script).await;
    let (_, _, log) = server.call("GET", &path, None).await;
    let process = PathBuf::from(format!("/proc/{}", log.split_whitespace().nth(1).unwrap()));
    assert!(process.exists());
    let asked_at = Instant::now();
    server.terminate();
    wait_for("the shutdown to begin", async || (server.call("GET", "/health", None).await.0 == 503).then_some(()))
        .await;
    server.terminate();
    assert_eq!(server.ended().0, Some(1));
    assert!(asked_at.elapsed() < Duration::from_secs(50), "the server waited for its grace period");
    wait_for("the end of the process", async || {
        let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    })
    .await;
}

/// A container goes on while no server runs, and the next server takes it up where the last one stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_goes_on_through_a_shutdown() {
    if crate::runner::docker_image().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let words = ["serve", "--demo", "--runner", "docker"];
    let server = Server::start(folder.path(), &words, None);
    let script = "trap 'echo stopped' TERM; i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); sleep 0.1; done; exit 5";
    let job = server.deploy("goes-on", script).await;
    let run = server.run(&job, 30, |run| run["started_at"].is_string()).await;
    let path = format!("/run/{}/log", run["id"].as_str().unwrap());
    wait_for("some lines of the log", async || {
        (server.call("GET", &path, None).await.2.lines().count() > 3).then_some(())
    })
    .await;
    server.terminate();
    let (code, token) = server.ended();
    assert_eq!(code, Some(0));
    let server = Server::start(folder.path(), &words, Some(&token));
    let run = server.run(&job, 30, done).await;
    assert_eq!((&run["state"], &run["exit_code"], &run["attempt"]), (&json!("FAILED"), &json!(5), &json!(1)), "{run}");
    let expected: String = (0..40).map(|number| format!("{number}\n")).collect();
    assert_eq!(server.call("GET", &path, None).await.2, expected);
}
