//! GET /job/{jobId}/run, /run/{runId}, its log, and /job/{jobId}/nextRun.

use serde_json::json;
use windlass::runner::StepState;

use crate::harness::{TestApp, id};

#[tokio::test]
async fn runs_and_their_logs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("minutely", "* * * * *")).await;
    for minute in ["10:01", "10:02", "10:03"] {
        app.clock.set(&format!("2026-11-22T{minute}:00Z"));
        app.settle().await;
        let name = app.runner.steps().remove(0);
        app.runner.write(&name, &[minute, "second line", "nul \0 inside"]);
        app.runner.set(&name, StepState::Exited { exit_code: 0, reason: None });
        app.settle().await;
    }
    let runs = it.runs(&job).await;
    let times: Vec<&str> = runs.iter().map(|run| run["scheduled_for"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-11-22T10:03:00.000000Z", "2026-11-22T10:02:00.000000Z", "2026-11-22T10:01:00.000000Z"]);
    let page = it.client.get(&format!("/job/{job}/run?count=1&before={}", runs[0]["number"])).await.expect(200);
    assert_eq!(page["results"], json!([runs[1]]));
    let run = it.client.get(&format!("/run/{}", id(&runs[2]))).await.expect(200);
    assert_eq!(run, runs[2]);
    assert_eq!((&run["state"], &run["exit_code"], &run["runner"]), (&json!("SUCCEEDED"), &json!(0), &json!("DOCKER")));
    for follow in ["", "?follow=true"] {
        let log = it.client.get(&format!("/run/{}/log{follow}", id(&run))).await;
        assert_eq!((log.status, log.text.as_str()), (200, "10:01\nsecond line\nnul \u{fffd} inside\n"));
    }
    it.client.get("/run/00000000-0000-7000-8000-000000000000").await.expect(404);
    it.client.get("/run/00000000-0000-7000-8000-000000000000/log").await.expect(404);
    for query in ["count=0", "count=201", "count=x", "before=x"] {
        let detail = it.client.get(&format!("/job/{job}/run?{query}")).await.detail(400);
        assert!(detail.starts_with(query.split('=').next().unwrap()), "{detail}");
    }
}

#[tokio::test]
async fn a_followed_log_goes_on_until_the_run_has_ended() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.lifecycle("events")).await;
    let name = app.runner.steps().remove(0);
    app.runner.write(&name, &["early"]);
    app.tick().await;
    let run = id(&it.runs(&job).await[0]);
    let (client, path) = (it.client.clone(), format!("/run/{run}/log?follow=true"));
    let follower = tokio::spawn(async move { client.get(&path).await });
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert!(!follower.is_finished(), "the response ended before the run");
    app.runner.write(&name, &["late"]);
    app.runner.set(&name, StepState::Exited { exit_code: 0, reason: None });
    app.settle().await;
    let log = tokio::time::timeout(std::time::Duration::from_secs(10), follower).await.unwrap().unwrap();
    assert_eq!(log.text, "early\nlate\n");
}

#[tokio::test]
async fn next_times_with_their_offsets() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.cron("nightly", "30 2 * * *");
    job["schedule"]["cronjob"]["timezone"] = json!("Europe/Paris");
    let job = it.create(job).await;
    app.clock.set("2026-03-27T12:00:00Z");
    let next = it.client.get(&format!("/job/{job}/nextRun?count=3")).await.expect(200);
    assert_eq!(
        next,
        json!({
            "explanation": null,
            "timezone": "Europe/Paris", "scheduled_at": "30 2 * * *", "active": false, "keeper": "SERVER",
            "keeper_reason": null, "jitter_seconds": 0, "results": [
                {"at": "2026-03-28T01:30:00.000000Z", "local_time": "2026-03-28T02:30:00+01:00", "utc_offset": "+01:00"},
                {"at": "2026-03-29T01:00:00.000000Z", "local_time": "2026-03-29T03:00:00+02:00", "utc_offset": "+02:00"},
                {"at": "2026-03-30T00:30:00.000000Z", "local_time": "2026-03-30T02:30:00+02:00", "utc_offset": "+02:00"},
            ],
        })
    );
    let events = it.create(it.lifecycle("events")).await;
    it.client.get(&format!("/job/{events}/nextRun")).await.expect(400);
    it.client.get(&format!("/job/{job}/nextRun?count=101")).await.expect(400);
}
