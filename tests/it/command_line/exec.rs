//! `windlass exec` and `windlass check`: commands that run elsewhere, against the server to which they report.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Client, demo};
use crate::terrakube::terraform;

/// Creates a check, and returns its key.
async fn check(client: &Client<'_>) -> String {
    let server = client.server;
    let environment = client.json(&["env", "list"])["results"][0]["id"].as_str().unwrap().to_owned();
    let request = terraform::client().post(format!("{}/environment/{environment}/check", server.url));
    let request = request.header("authorization", format!("Token {}", server.token));
    let check = request.json(&serde_json::json!({"name": "offsite", "period_seconds": 3600})).send().await.unwrap();
    let check: Value = check.error_for_status().unwrap().json().await.unwrap();
    check["ping_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_command_that_runs_here_reports_to_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let key = check(&client).await;
    let key = key.as_str();

    let run = |url: &str, script: &str| {
        let mut command = client.command(&["exec", "--", "sh", "-c", script]);
        command.env("WINDLASS_PING_KEY", key).env("WINDLASS_URL", url).env_remove("WINDLASS_TOKEN");
        command.output().unwrap()
    };
    let done = run(&server.url, "echo a line; echo a fault >&2; exit 3");
    assert_eq!(done.status.code(), Some(3));
    assert_eq!((done.stdout.as_slice(), done.stderr.as_slice()), (&b"a line\n"[..], &b"a fault\n"[..]));
    let history = client.prints(&["job", "history", "offsite"], 0);
    let newest: Vec<&str> = history.lines().next().unwrap().split('\t').collect();
    assert_eq!((history.lines().count(), newest[2], newest[6]), (1, "failed", "3"), "{history}");
    let log = client.prints(&["job", "logs", "offsite"], 0);
    assert!(log.contains("a line") && log.contains("a fault"), "{log}");
    // A signal, as a shell tells it.
    assert_eq!(run(&server.url, "kill -9 $$").status.code(), Some(137));
    // The command does its work whether its server is there or not.
    let alone = run("http://127.0.0.1:1", "echo done");
    assert_eq!((alone.status.code(), alone.stdout.as_slice()), (Some(0), &b"done\n"[..]));
    assert!(String::from_utf8(alone.stderr).unwrap().contains("was not accepted"));

    client.prints(&["check", "ping", "--key", key], 0);
    let listed = client.prints(&["check", "list"], 0);
    assert!(listed.starts_with("offsite\tdemo/demo\t") && listed.contains("\tsucceeded\t"), "{listed}");
    client.prints(&["check", "ping", "fail", "--key", key], 0);
    assert!(client.prints(&["check", "list"], 0).contains("\tfailed\t"));
    assert!(client.fails(&["check", "ping", "--key", "windlass_ping_wrong"], 3).contains("no check"));
    assert!(client.fails(&["check", "ping", "maybe", "--key", key], 2).contains("success, start, fail"));
}

/// The exit code of a process that ends soon.
fn ended(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Supervisors stop only the process that they have started.
#[tokio::test]
async fn a_signal_ends_the_command_and_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let key = check(&client).await;
    for (signal, script, code) in [
        (Signal::TERM, "echo begun; exec sleep 600", 143),
        (Signal::HUP, "echo begun; exec sleep 600", 129),
        // The command ends by itself, and what it has started keeps its output open.
        (Signal::TERM, "trap 'echo cleaned; exit 7' TERM; echo begun; sleep 30 & wait", 7),
    ] {
        let mut command = client.command(&["exec", "--", "sh", "-c", script]);
        command.env("WINDLASS_PING_KEY", &key).env_remove("WINDLASS_TOKEN");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "begun\n");
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(process, signal).unwrap();
        assert_eq!(ended(&mut child), Some(code), "{script}");
        let history = client.prints(&["job", "history", "offsite"], 0);
        let newest: Vec<&str> = history.lines().next().unwrap().split('\t').collect();
        assert_eq!((newest[2], newest[6]), ("failed", code.to_string().as_str()), "{history}");
        let log = client.prints(&["job", "logs", "offsite"], 0);
        assert_eq!((log.contains("begun"), log.contains("cleaned")), (true, code == 7), "{log}");
    }
}
