//! `windlass job`: schedules that do not run, and more runs than one page has.

use std::process::Output;

use serde_json::json;

use super::{Client, demo};
use crate::server::Server;
use crate::terrakube::terraform;

fn told(output: &Output) -> (String, String) {
    assert!(output.status.success(), "{output:?}");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn times_at_which_a_job_does_not_run_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    client.prints(&["deploy", "demo", "--watch"], 0);
    let next = |job: &str| told(&client.run(&["job", "next", job, "--count", "2"]));
    let (times, warning) = next("every minute");
    assert_eq!((times.lines().count(), warning.as_str()), (2, ""), "{times}");

    let file = folder.path().join("idle.yaml");
    let jobs = "project: demo\nenvironment: demo\njobs:\n  idle:\n    schedule: 0 5 * * *\n    command: \"true\"\n  \
                agent:\n    schedule: \"@reboot\"\n    command: \"true\"\n";
    std::fs::write(&file, jobs).unwrap();
    client.prints(&["apply", "-f", file.to_str().unwrap()], 0);
    let (times, warning) = next("idle");
    assert!(times.lines().count() == 2 && times.lines().all(|line| line.ends_with("\tnot deployed")), "{times}");
    assert_eq!(warning, "demo/demo/idle does not run by its schedule: not deployed\n");
    client.prints(&["deploy", "demo", "--watch"], 0);
    let (times, warning) = next("agent");
    assert!(times.is_empty() && warning.contains("each start of the server"), "{warning}");
    assert!(!warning.contains("suspended"), "{warning}");
    assert_eq!(next("idle").1, "");
    // The next time that is not skipped already.
    let first = client.prints(&["job", "skip", "idle"], 0);
    let second = client.prints(&["job", "skip", "idle"], 0);
    assert_ne!(first, second);
    let (times, _) = next("idle");
    assert!(times.lines().all(|line| line.ends_with("\tskipped: requested")), "{times}");
    client.prints(&["job", "pause", "idle"], 0);
    assert!(client.fails(&["job", "skip", "idle"], 3).contains("skipped already"));
}

#[tokio::test]
async fn all_open_runs_of_a_job_are_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is started, so that all of them wait.
    let server = Server::start(folder.path(), &["serve", "--demo", "--runner", "process", "--max-runs", "0"], None);
    let client = Client { server: &server, home: folder.path() };
    client.prints(&["job", "pause", "every minute"], 0);
    let jobs = client.json(&["job", "list", "every minute"]);
    let path = format!("{}/job/{}/backfill", server.url, jobs["results"][0]["id"].as_str().unwrap());
    let request = terraform::client().post(path).header("authorization", format!("Token {}", server.token));
    let span = json!({"from": "2026-01-05T00:00:00Z", "until": "2026-01-05T07:30:00Z", "limit": 1000});
    let queued = request.json(&span).send().await.unwrap();
    assert_eq!(queued.status(), 202);
    let said = client.prints(&["job", "cancel", "every minute"], 0);
    let count: usize = said.split(' ').next().unwrap().parse().unwrap();
    // The schedule may have added one before it was paused.
    assert!((450..=451).contains(&count), "{said}");
}
