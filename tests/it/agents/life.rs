//! Runs by an agent, from the request to the end.

use serde_json::json;

use super::{Site, started, text};
use crate::harness::wait_for;
use crate::runner::docker_image;
use crate::server::done;

/// The runners of agents that can be tested here.
fn runners() -> Vec<&'static str> {
    let mut runners = vec!["process"];
    runners.extend(docker_image().map(|_| "docker"));
    runners
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_its_log_its_outputs_and_its_exit_code() {
    for runner in runners() {
        let site = Site::new(&[]).await;
        let _agent = site.start_agent(&["--runner", runner]);
        let script = "echo \"the password is $PASSWORD\"; echo error >&2; \
             echo '{\"place\": {\"value\": \"hall\", \"sensitive\": false}}' > \"$WINDLASS_OUTPUT_FILE\"";
        let job = site.job(script, |_| {}).await;
        let secret = json!({"key": "PASSWORD", "value": "correct<horse>battery"});
        site.made(&format!("/job/{job}/secret"), secret).await;
        site.deploy(&job).await;
        let run = site.server().run(&job, 60, done).await;
        assert_eq!(
            (&run["state"], &run["exit_code"], &run["runner"]),
            (&json!("SUCCEEDED"), &json!(0), &json!("AGENT"))
        );
        let log = site.log(&run).await;
        assert!(log.contains("the password is ********") && log.contains("error"), "{runner}: {log}");
        let variables = site.server().get(&format!("/job/{job}/environmentVariable")).await;
        assert!(variables.to_string().contains("\"hall\""), "{runner}: {variables}");
        let failed = site.deployed("exit 4").await;
        let run = site.server().run(&failed, 60, done).await;
        assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(4)), "{runner}");
        // Nothing is left of the steps, neither here nor there.
        wait_for("removed steps", async || {
            let agents = site.server().get(&site.agents_path()).await;
            (agents["results"][0]["running_steps"] == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_and_its_cluster_are_shown() {
    let site = Site::new(&[]).await;
    let status = format!("/organization/{}/cluster/{}/status", site.organization, site.cluster);
    let agents = site.server().get(&site.agents_path()).await;
    assert_eq!(agents["results"][0]["status"], "NEVER_CONNECTED");
    assert!(agents["results"][0].get("token").is_none());
    let agent = site.start_agent(&["--runner", "process", "--max-runs", "3"]);
    wait_for("a connected cluster", async || (site.server().get(&status).await["status"] == "DEPLOYED").then_some(()))
        .await;
    let job = site.deployed("sleep 60").await;
    site.server().run(&job, 30, started).await;
    let shown = site.server().get(&site.agents_path()).await["results"][0].clone();
    assert_eq!(
        (&shown["status"], &shown["runner"], &shown["capacity"], &shown["running_steps"]),
        (&json!("CONNECTED"), &json!("process"), &json!(3), &json!(1))
    );
    assert_eq!(shown["version"], env!("CARGO_PKG_VERSION"));
    // A cluster of agents takes no kubeconfig, and is not deleted while something runs there.
    let path = format!("/organization/{}/cluster/{}", site.organization, site.cluster);
    let (code, _, answer) = site.server().call("DELETE", &path, None).await;
    assert_eq!(code, 409, "{answer}");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_cancelled_and_end_at_their_limits() {
    let site = Site::new(&[]).await;
    let agent = site.start_agent(&[]);
    let job = site.deployed("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.1; done").await;
    let run = site.server().run(&job, 30, started).await;
    site.logged(&run, "ready").await;
    let (code, _, answer) = site.server().call("POST", &format!("/run/{}/cancel", text(&run["id"])), None).await;
    assert!((200..300).contains(&code), "{answer}");
    let run = site.server().run(&job, 30, done).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("CANCELLED"), &json!(3)), "{}", agent.log());
    assert!(site.log(&run).await.contains("bye"));
    let limited = site.job("echo ready; sleep 60", |body| body["max_duration_seconds"] = json!(2)).await;
    site.deploy(&limited).await;
    let run = site.server().run(&limited, 40, done).await;
    assert_eq!(run["state"], "FAILED");
    assert!(text(&run["reason"]).contains("2 s"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_is_stored_whole() {
    let site = Site::new(&[]).await;
    let agent = site.start_agent(&[]);
    let script = "i=0; while [ $i -lt 60000 ]; do echo \"line $i 0123456789012345678901234567890123456789\"; \
         i=$((i+1)); done; head -c 3000000 /dev/zero | tr '\\0' x";
    let job = site.deployed(script).await;
    let run = site.server().run(&job, 120, done).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}: {}", agent.log());
    let log = site.log(&run).await;
    let numbers = log.lines().filter_map(|line| line.strip_prefix("line ")?.split(' ').next()?.parse::<u32>().ok());
    assert!(numbers.eq(0..60_000), "lines are missing, or twice");
    assert_eq!(log.matches('x').count(), 3_000_000);
}

/// More runs than the agent has room for wait for each other, and all of them are done.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_runs_no_more_than_it_has_room_for() {
    let site = Site::new(&[]).await;
    let _agent = site.start_agent(&["--runner", "process", "--max-runs", "1"]);
    let shared = site.folder.path().join("at-work");
    let script = format!("mkdir '{0}' || exit 9; sleep 0.3; rmdir '{0}'", shared.display());
    let mut jobs = Vec::new();
    for _ in 0..4 {
        let command = json!({"scheduled_at": "0 0 1 1 *", "entrypoint": "/bin/sh", "arguments": ["-c", script]});
        let job = site.job("", |body| body["schedule"] = json!({"cronjob": command})).await;
        site.deploy(&job).await;
        site.made(&format!("/job/{job}/run"), json!({})).await;
        jobs.push(job);
    }
    for job in jobs {
        let run = site.server().run(&job, 60, done).await;
        assert_eq!((&run["state"], &run["exit_code"]), (&json!("SUCCEEDED"), &json!(0)), "{run}");
    }
}
