//! The forecast of an organization, from real runs in the history.

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp};

async fn forecast(it: &Furnished, query: &str) -> Value {
    it.client.get(&format!("/organization/{}/forecast{query}", it.organization)).await.expect(200)
}

/// A deployed job with the history of two runs.
async fn job(app: &TestApp, it: &Furnished, name: &str, expression: &str, seconds: i64) -> String {
    let mut request = it.cron(name, expression);
    request["max_duration_seconds"] = json!(60);
    let job = it.deployed(app, request).await;
    for _ in 0..2 {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.clock.forward(seconds);
        app.runner.exit_all(0);
        app.settle().await;
    }
    job
}

#[tokio::test]
async fn peaks_overlaps_and_limits() {
    let app = TestApp::configured(|config| config.max_runs = 2).await;
    let it = app.furnished().await;
    let mut jobs = Vec::new();
    for name in ["a", "b", "c"] {
        jobs.push(job(&app, &it, name, "0 0 * * *", 58).await);
    }
    it.deployed(&app, it.cron("never ran", "30 0 * * *")).await;
    let found = forecast(&it, "").await;
    assert_eq!((&found["planned_runs"], &found["jobs_without_history"]), (&json!(4), &json!(1)));
    let peak = &found["peaks"]["results"][0];
    assert_eq!((&found["peaks"]["count"], &peak["due_runs"], &peak["slots"]), (&json!(1), &json!(3), &json!(2)));
    assert_eq!((&peak["wait_p50_ms"], &peak["cluster_id"]), (&json!(58_000), &Value::Null));
    assert!(peak["at"].as_str().unwrap().contains("T00:00:00"), "{peak}");
    assert!(peak["jitter_seconds"].as_i64().unwrap() > 0, "{peak}");
    assert_eq!(
        (&found["close_to_limit"]["count"], &found["close_to_limit"]["results"][0]["p95_ms"]),
        (&json!(3), &json!(58_000))
    );
    assert_eq!(found["overlaps"], json!({"count": 0, "results": []}));
    // What is held back is not planned.
    it.client.post(&format!("/job/{}/pause", jobs[0]), json!({})).await.expect(200);
    let found = forecast(&it, "?hours=24").await;
    assert_eq!((&found["planned_runs"], &found["peaks"]["count"]), (&json!(3), &json!(0)));
    assert_eq!(forecast(&it, "?hours=48").await["planned_runs"], 6);
    for hours in ["0", "49"] {
        let refused =
            it.client.get(&format!("/organization/{}/forecast?hours={hours}", it.organization)).await.detail(400);
        assert!(refused.contains("between 1 and 48"), "{refused}");
    }
}

#[tokio::test]
async fn a_run_longer_than_its_interval_overlaps() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("slow", "*/2 * * * *")).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    app.clock.forward(150);
    app.runner.exit_all(0);
    app.settle().await;
    let found = forecast(&it, "?hours=1").await;
    let overlap = &found["overlaps"]["results"][0];
    assert_eq!((&found["overlaps"]["count"], &overlap["job_id"]), (&json!(1), &json!(job)));
    assert_eq!((&overlap["times_p50"], &overlap["concurrency_policy"]), (&json!(15), &json!("Forbid")));
}
