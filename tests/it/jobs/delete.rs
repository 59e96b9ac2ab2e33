//! DELETE /job/{jobId}.

use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn what_was_never_deployed_is_gone_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(404);
    it.client.delete(&format!("/job/{job}")).await.expect(404);
    assert!(app.runner.started().is_empty());
}

#[tokio::test]
async fn a_deployed_job_runs_its_on_delete_command_first() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    assert_eq!(it.state(&job).await, "DELETE_QUEUED");
    let detail = it.client.delete(&format!("/job/{job}")).await.detail(409);
    assert_eq!(detail, "the job events is being deleted");
    app.settle().await;
    assert_eq!(it.state(&job).await, "DELETING");
    assert_eq!(app.runner.started().last().unwrap().arguments, ["-c", "delete"]);
    app.runner.exit_all(1);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DELETE_ERROR");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
    it.client.get(&format!("/job/{job}/status")).await.expect(404);
    assert!(app.runner.steps().is_empty(), "containers are left");
}

#[tokio::test]
async fn skip_reconcile_deletes_only_rows() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    it.client.delete(&format!("/job/{job}?skipReconcile=true")).await.expect(204);
    it.client.get(&format!("/job/{job}")).await.expect(404);
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1, "nothing else was started");
}

#[tokio::test]
async fn a_running_cron_job_is_stopped_before_it_goes() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("minutely", "* * * * *")).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 1);
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    app.settle().await;
    assert_eq!((app.runner.stopped().len(), app.runner.steps().len()), (1, 0));
    it.client.get(&format!("/job/{job}")).await.expect(404);
}
