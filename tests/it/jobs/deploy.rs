//! POST /job/{jobId}/deploy and /stop, and what they make of the state.

use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn a_cron_job_gets_its_schedule_and_loses_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("minutely", "* * * * *")).await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["service_deployment_status"]), (&json!("READY"), &json!("NEVER_DEPLOYED")));
    assert_eq!(status["status_details"], json!({"action": "UNKNOWN", "status": "NEVER", "sub_action": "NONE"}));
    let status = it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    assert_eq!((&status["state"], &status["deployment_requests_count"]), (&json!("DEPLOYMENT_QUEUED"), &json!(1)));
    assert!(status["deployment_request_id"].is_string());
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!((&status["state"], &status["service_deployment_status"]), (&json!("DEPLOYED"), &json!("UP_TO_DATE")));
    assert!(app.runner.started().is_empty(), "deploying a CRON job runs nothing");
    let next = it.client.get(&format!("/job/{job}/nextRun?count=2")).await.expect(200);
    assert_eq!((&next["active"], &next["results"][0]["at"]), (&json!(true), &json!("2026-11-22T10:01:00.000000Z")));
    it.client
        .put(&format!("/job/{job}"), json!({"schedule": {"cronjob": {"scheduled_at": "@daily"}}}))
        .await
        .expect(200);
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(status["service_deployment_status"], "OUT_OF_DATE");
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "what is deployed runs, not what was written since");
    it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    assert_eq!(it.state(&job).await, "STOP_QUEUED");
    app.settle().await;
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    assert_eq!(it.runs(&job).await[0]["state"], "CANCELLED");
    let detail = it.client.post(&format!("/job/{job}/stop"), json!({})).await.detail(409);
    assert!(detail.contains("already stopped"), "{detail}");
    app.clock.set("2026-11-23T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "a stopped job does not run");
}

#[tokio::test]
async fn a_lifecycle_job_runs_with_each_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "EXECUTING");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(7);
    app.settle().await;
    let status = it.client.get(&format!("/job/{job}/status")).await.expect(200);
    assert_eq!(
        (&status["state"], &status["service_deployment_status"]),
        (&json!("DEPLOYMENT_ERROR"), &json!("OUT_OF_DATE"))
    );
    let run = &it.runs(&job).await[0];
    assert_eq!(
        (&run["state"], &run["exit_code"], &run["reason"]),
        (&json!("FAILED"), &json!(7), &json!("exit code 7"))
    );
    it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPING");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&job).await, "STOPPED");
    let commands: Vec<String> = app.runner.started().iter().map(|step| step.arguments[1].clone()).collect();
    assert_eq!(commands, ["start", "start", "stop"]);
}

#[tokio::test]
async fn a_forced_event_runs_once_and_leaves_the_schedule_alone() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("minutely", "* * * * *")).await;
    it.client.post(&format!("/job/{job}/deploy?forceEvent=CRON"), json!({})).await.expect(202);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(
        (&run["trigger"], &run["event"], &run["scheduled_for"]),
        (&json!("FORCE"), &json!("CRON"), &json!(null))
    );
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "the schedule of a job that was never deployed does not start");
    let events = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{events}/deploy?forceEvent=DELETE"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.state(&events).await, "DELETED");
    it.client.get(&format!("/job/{events}")).await.expect(200);
    for (job, event) in [(&job, "START"), (&events, "CRON")] {
        let detail = it.client.post(&format!("/job/{job}/deploy?forceEvent={event}"), json!({})).await.detail(400);
        assert!(detail.starts_with("forceEvent:"), "{detail}");
    }
    it.client.post(&format!("/job/{job}/deploy?forceEvent=NOW"), json!({})).await.expect(400);
}

#[tokio::test]
async fn another_tag_becomes_the_configured_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({"image_tag": "1.37"})).await.expect(202);
    let found = it.client.get(&format!("/job/{job}")).await.expect(200);
    assert_eq!(found["source"]["image"]["tag"], "1.37");
    app.settle().await;
    let step = app.runner.started().remove(0);
    assert_eq!(step.image.unwrap().reference, "docker.io/library/busybox:1.37");
    for body in
        [json!({"image_tag": "a b"}), json!({"git_commit_id": "abc"}), json!({"image_tag": "1", "git_commit_id": "a"})]
    {
        it.client.post(&format!("/job/{job}/deploy"), body).await.expect(400);
    }
    // Without any body, as some clients send it.
    it.client.call(poem::http::Method::POST, &format!("/job/{job}/deploy"), None).await.expect(202);
}

#[tokio::test]
async fn a_job_that_has_to_be_built_says_that_it_cannot() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut job = it.lifecycle("built");
    job["source"] = json!({"docker": {"dockerfile_raw": "FROM scratch"}});
    let job = it.create(job).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(run["state"], "FAILED");
    assert!(run["reason"].as_str().unwrap().contains("building an image"), "{run}");
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
}
