//! What is killed, revoked or away: no step is started twice, and each run ends with a reason.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::{AgentProcess, Site, started, text};
use crate::harness::wait_for;
use crate::runner::docker_image;
use crate::server::done;

/// kill -9 while a container runs: the next agent finds it, the rest of its log and its exit code.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_outlives_its_agent() {
    if docker_image().is_none() {
        return;
    }
    let site = Site::new(&[]).await;
    let agent = site.start_agent(&["--runner", "docker"]);
    let script = "i=0; while [ $i -lt 40 ]; do echo \"$HOSTNAME $i\"; i=$((i+1)); sleep 0.1; done; exit 5";
    let job = site.deployed(script).await;
    let run = site.server().run(&job, 60, started).await;
    site.logged(&run, " 3\n").await;
    agent.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let agent = site.start_agent(&["--runner", "docker"]);
    let run = site.server().run(&job, 60, done).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(5)), "{}", agent.log());
    let log = site.log(&run).await;
    let lines: Vec<(&str, &str)> = log.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let hosts: std::collections::BTreeSet<&str> = lines.iter().map(|(host, _)| *host).collect();
    let numbers: Vec<String> = lines.iter().map(|(_, number)| (*number).to_owned()).collect();
    assert_eq!((hosts.len(), numbers), (1, (0..40).map(|number| number.to_string()).collect()), "{log}");
    let label = format!("label=windlass.run={}", text(&run["id"]));
    wait_for("a removed container", async || {
        let left = Command::new("docker").args(["ps", "-aq", "--filter", &label]).output().unwrap().stdout;
        left.is_empty().then_some(())
    })
    .await;
}

/// A plain process ends with its agent: the run is lost, and never started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_with_its_agent() {
    let site = Site::new(&[]).await;
    let agent = site.start_agent(&[]);
    let starts = site.folder.path().join("starts");
    let script = format!("echo once >> '{}'; echo ready; sleep 60", starts.display());
    let job = site.job(&script, |body| body["max_nb_restart"] = json!(3)).await;
    site.deploy(&job).await;
    let run = site.server().run(&job, 30, started).await;
    site.logged(&run, "ready").await;
    agent.kill();
    let _agent = site.start_agent(&[]);
    let run = site.server().run(&job, 30, done).await;
    assert_eq!(run["state"], "FAILED");
    assert!(text(&run["reason"]).contains("lost"), "{run}");
    assert_eq!(std::fs::read_to_string(&starts).unwrap(), "once\n", "it was started again");
}

/// An orderly end stops the processes first, which is a failed attempt.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_shuts_down_stops_its_processes() {
    let site = Site::new(&[]).await;
    let mut agent = site.start_agent(&[]);
    let job = site.deployed("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done").await;
    let run = site.server().run(&job, 30, started).await;
    site.logged(&run, "ready").await;
    agent.terminate();
    assert_eq!(agent.ended().await, Some(0), "{}", agent.log());
    let run = site.server().run(&job, 30, done).await;
    assert_eq!(run["state"], "FAILED");
    assert!(text(&run["reason"]).contains("the agent shut down"), "{run}");
    assert!(site.log(&run).await.contains("bye"));
}

/// kill -9 of the server: the step goes on, and its lines wait for the next server.
#[tokio::test(flavor = "multi_thread")]
async fn steps_go_on_while_the_server_is_away() {
    let mut site = Site::new(&[]).await;
    let agent = site.start_agent(&[]);
    let starts = site.folder.path().join("starts");
    let script = format!(
        "echo once >> '{}'; i=0; while [ $i -lt 40 ]; do echo \"line $i\"; i=$((i+1)); sleep 0.1; done; exit 6",
        starts.display()
    );
    let job = site.deployed(&script).await;
    let run = site.server().run(&job, 30, started).await;
    site.logged(&run, "line 3").await;
    let token = site.kill_server();
    // The step ends meanwhile.
    tokio::time::sleep(Duration::from_secs(5)).await;
    site.start_server(&token);
    let run = site.server().run(&job, 60, done).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(6)), "{run}: {}", agent.log());
    let log = site.log(&run).await;
    let lines: Vec<&str> = log.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(lines, (0..40).map(|number| format!("line {number}")).collect::<Vec<_>>());
    assert_eq!(std::fs::read_to_string(&starts).unwrap(), "once\n");
}

/// A revoked token ends the agent and its steps at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_agent_ends() {
    let site = Site::new(&[]).await;
    let mut agent = site.start_agent(&[]);
    let job = site.deployed("echo $$; exec sleep 600").await;
    let run = site.server().run(&job, 30, started).await;
    let process =
        wait_for("its process", async || site.log(&run).await.lines().next()?.trim().parse::<u32>().ok()).await;
    let path = format!("{}/{}", site.agents_path(), site.agent);
    assert_eq!(site.server().call("DELETE", &path, None).await.0, 204);
    assert_eq!(agent.ended().await, Some(1));
    assert!(agent.log().contains("refuses the agent"), "{}", agent.log());
    wait_for("the end of the process", async || {
        (!std::path::Path::new(&format!("/proc/{process}")).exists()).then_some(())
    })
    .await;
    let run = site.server().run(&job, 30, done).await;
    assert_eq!(run["state"], "FAILED");
    assert!(text(&run["reason"]).contains("lost"), "{run}");
    let mut again = site.start_agent(&[]);
    assert_eq!(again.ended().await, Some(1), "the token still works");
}

/// A run waits for an agent, and says so; a cancelled one does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_an_agent() {
    let site = Site::new(&["--start-timeout-seconds", "6"]).await;
    let job = site.deployed("echo done").await;
    let run = site.server().run(&job, 30, done).await;
    assert_eq!(run["state"], "FAILED");
    let reason = text(&run["reason"]);
    assert!(reason.contains("could not be started in time") && reason.contains("no agent"), "{reason}");
    let cancelled = site.deployed("echo done").await;
    let run = site.server().run(&cancelled, 30, |run| run["state"] == "RUNNING").await;
    site.server().call("POST", &format!("/run/{}/cancel", text(&run["id"])), None).await;
    assert_eq!(site.server().run(&cancelled, 5, done).await["state"], "CANCELLED");
    let waits = site.deployed("echo done").await;
    let _agent = site.start_agent(&[]);
    assert_eq!(site.server().run(&waits, 30, done).await["state"], "SUCCEEDED");
}

/// Of two processes with one token the later one goes on; what the first one ran is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_one_process() {
    let site = Site::new(&[]).await;
    let mut first = site.start_agent(&[]);
    let job = site.deployed("echo ready; sleep 600").await;
    site.server().run(&job, 30, started).await;
    let other = site.folder.path().join("other");
    let second = AgentProcess::start(&other, &site.server().url, &site.token, &["--runner", "process"]);
    assert_eq!(first.ended().await, Some(1));
    assert!(first.log().contains("another process uses the token"), "{}", first.log());
    assert_eq!(site.server().run(&job, 30, done).await["state"], "FAILED");
    let next = site.deployed("echo done").await;
    assert_eq!(site.server().run(&next, 30, done).await["state"], "SUCCEEDED", "{}", second.log());
    // And no second agent uses the same folder.
    let mut third = AgentProcess::start(&other, &site.server().url, &site.token, &["--runner", "process"]);
    assert_eq!(third.ended().await, Some(1));
    assert!(third.log().contains("another agent uses the folder"), "{}", third.log());
}
