//! A run ends as the server decided, and waiting is not starting.

use entity::id::JobId;
use entity::job;
use sea_orm::ActiveModelTrait as _;
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use windlass::engine::tick;
use windlass::runner::StepState;

use crate::harness::{Furnished, TestApp, id};

async fn deployed(app: &TestApp, it: &Furnished, change: Value) -> String {
    let mut job = it.lifecycle("events");
    for (key, value) in change.as_object().unwrap() {
        job[key] = value.clone();
    }
    it.deployed(app, job).await
}

/// Marks a job as if its schedule had been applied in a cluster.
pub(super) async fn apply(app: &TestApp, job: &str) {
    let text = |text: &str| text.to_owned();
    let (namespace, name, uid) = (text("staging"), text("job"), text("0"));
    let applied = job::AppliedSchedule { namespace, name, uid, generation: 1, secret: None };
    let change =
        job::ActiveModel { id: Set(JobId(job.parse().unwrap())), applied: Set(Some(applied)), ..Default::default() };
    change.update(&app.app.db).await.unwrap();
}

/// Otherwise two schedulers could serve one job: Kubernetes, and the server that has no record of the CronJob.
#[tokio::test]
async fn an_applied_cron_job_that_cannot_be_read_back_fails_the_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("job", "@daily")).await;
    apply(&app, &job).await;
    it.client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    app.settle().await;
    let [step] = app.runner.steps().try_into().unwrap();
    app.runner.leave(&step, "no version");
    app.runner.exit_all(0);
    app.settle().await;
    let run = newest(&it, &job).await;
    let reason = run["reason"].as_str().unwrap();
    assert_eq!((&run["event"], &run["state"]), (&json!("APPLY"), &json!("FAILED")), "{run}");
    assert!(reason.contains("could not be read back"), "{reason}");
}

async fn newest(it: &Furnished, job: &str) -> Value {
    it.runs(job).await.remove(0)
}

/// Waiting for a place is limited by the queue timeout alone.
#[tokio::test]
async fn a_run_that_waited_for_a_place_is_started() {
    let app = TestApp::configured(|config| config.max_runs = 1).await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    for _ in 0..2 {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
    }
    app.clock.forward(330);
    app.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "QUEUED");
    app.runner.exit_all(0);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], app.runner.steps().len()), (&json!("RUNNING"), 1), "{run}");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "SUCCEEDED");
}

/// Nor does time count in which no server was there: in the pause before an attempt, or after a server had claimed the run.
#[tokio::test]
async fn the_time_without_a_server_does_not_count() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({"max_nb_restart": 1})).await;
    app.runner.exit_all(1);
    app.settle().await;
    app.clock.forward(340);
    let second = app.restarted().await;
    app.runner.set_down(true);
    second.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "RUNNING");
    app.clock.forward(340);
    // The second server was killed with the claimed run; the third one has the whole time to start it.
    let third = app.restarted().await;
    third.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "RUNNING");
    app.clock.forward(290);
    third.settle().await;
    app.runner.set_down(false);
    third.settle().await;
    app.runner.exit_all(0);
    third.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("SUCCEEDED"), &json!(2)), "{run}");
}

/// An attempt that cannot be started is repeated like one that exits, and its reason is shown.
#[tokio::test]
async fn failed_starts_are_repeated() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.fail_starts(Some("the registry does not answer"));
    let job = deployed(&app, &it, json!({"max_nb_restart": 2})).await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("QUEUED"), &json!(2)), "{run}");
    assert_eq!(run["reason"], "attempt 1 failed: the registry does not answer");
    assert!(app.runner.steps().is_empty(), "the failed step is left");
    app.clock.forward(10);
    app.settle().await;
    assert_eq!(newest(&it, &job).await["attempt"], 3);
    app.runner.fail_starts(None);
    app.clock.forward(20);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("RUNNING"), &Value::Null), "{run}");
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(
        (newest(&it, &job).await["state"].clone(), it.state(&job).await),
        (json!("SUCCEEDED"), "DEPLOYED".into())
    );
    // Without any attempt left it fails.
    app.runner.fail_starts(Some("the registry does not answer"));
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    for _ in 0..3 {
        app.settle().await;
        app.clock.forward(60);
    }
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("FAILED"), &json!(3)), "{run}");
    assert_eq!(run["reason"], "the registry does not answer");
}

/// A start that takes too long is an attempt, too. What was still being started is removed.
#[tokio::test]
async fn slow_starts_are_repeated() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({"max_nb_restart": 1})).await;
    let name = app.runner.steps().remove(0);
    // Not seen running by this run's server yet.
    let again = it.client.post(&format!("/job/{job}/run"), json!({"event": "START"})).await.expect(202);
    tick::work(&app.app, app.clock.now()).await;
    let slow = app.runner.steps().into_iter().find(|step| *step != name).unwrap();
    app.runner.set(&slow, StepState::Starting { reason: Some("pulling".into()) });
    app.clock.forward(299);
    app.settle().await;
    let run = format!("/run/{}", id(&again));
    assert_eq!(it.client.get(&run).await.expect(200)["state"], "RUNNING");
    app.clock.forward(1);
    app.settle().await;
    let run = it.client.get(&run).await.expect(200);
    assert_eq!((&run["state"], &run["attempt"]), (&json!("QUEUED"), &json!(2)), "{run}");
    assert_eq!(run["reason"], "attempt 1 failed: the run could not be started in time: pulling");
    assert_eq!(app.runner.steps(), [name]);
}

/// A program that exits with 0 when it is stopped has not succeeded.
#[tokio::test]
async fn a_run_that_exceeds_its_limit_fails_whatever_its_exit_code() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.exit_when_stopped(0);
    let job = deployed(&app, &it, json!({"max_duration_seconds": 2})).await;
    let step = app.runner.steps().remove(0);
    app.runner.leave(&step, r#"{"URL": {"value": "half-written"}}"#);
    app.clock.forward(2);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(0)), "{run}");
    assert_eq!(run["reason"], "the run exceeded its time limit of 2 seconds");
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
    let variables = it.client.get(&format!("/environment/{}/environmentVariable", it.environment)).await.expect(200);
    let taken = variables["results"].as_array().unwrap().iter().any(|row| row["value"] == "half-written");
    assert!(!taken, "outputs of a stopped run were taken");
}

#[tokio::test]
async fn a_cancelled_run_is_cancelled_whatever_its_exit_code() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.exit_when_stopped(0);
    let job = deployed(&app, &it, json!({})).await;
    let run = id(&newest(&it, &job).await);
    it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("CANCELLED"), &json!("the run was cancelled")), "{run}");
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
}

/// The decision is stored before the runner is asked, so that it holds for the next server.
#[tokio::test]
async fn the_next_server_knows_that_a_run_was_stopped() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.exit_when_stopped(0);
    let job = deployed(&app, &it, json!({})).await;
    let run = id(&newest(&it, &job).await);
    it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    // One pass: it asks the runner, and does not see the end.
    tick::work(&app.app, app.clock.now()).await;
    assert_eq!((app.runner.stopped().len(), &newest(&it, &job).await["state"]), (1, &json!("RUNNING")));
    let again = app.restarted().await;
    app.clock.forward(16);
    again.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "CANCELLED");
}

/// A run whose engine does not answer goes on: when the engine is back, the run is followed to its true end.
#[tokio::test]
async fn a_run_is_seen_again_after_its_engine_was_away() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({})).await;
    let step = app.runner.steps().remove(0);
    app.runner.set_down(true);
    app.clock.forward(890);
    app.settle().await;
    assert_eq!(newest(&it, &job).await["reason"], Value::Null);
    app.clock.forward(20);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!(
        (&run["state"], &run["reason"]),
        (&json!("RUNNING"), &json!("the runner does not answer: the engine is down"))
    );
    tick::sweep(&app.app, app.app.clock.now()).await;
    app.clock.forward(3600);
    app.settle().await;
    app.runner.set_down(false);
    tick::sweep(&app.app, app.app.clock.now()).await;
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("RUNNING"), &Value::Null), "{run}");
    app.runner.set_down(true);
    app.clock.forward(3600);
    app.settle().await;
    // It ends while its engine is away, and its log and its output are read afterwards.
    app.runner.write(&step, &["the end"]);
    app.runner.leave(&step, r#"{"URL": {"value": "http://x"}}"#);
    app.runner.exit_all(0);
    app.runner.set_down(false);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("SUCCEEDED"), &Value::Null), "{run}");
    assert_eq!(it.state(&job).await, "DEPLOYED");
    assert_eq!(it.client.get(&format!("/run/{}/log", id(&run))).await.text, "the end\n");
    let variables = it.client.get(&format!("/environment/{}/environmentVariable", it.environment)).await.expect(200);
    assert!(variables["results"].as_array().unwrap().iter().any(|row| row["value"] == "http://x"));
}

/// A server that was away for long does not take its own absence for that of the engine.
#[tokio::test]
async fn a_server_that_was_away_finds_its_runs_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({})).await;
    app.clock.forward(7200);
    app.runner.set_down(true);
    let again = app.restarted().await;
    again.settle().await;
    app.runner.set_down(false);
    again.settle().await;
    tick::sweep(&again.app, again.app.clock.now()).await;
    assert_eq!((&newest(&it, &job).await["state"], app.runner.steps().len()), (&json!("RUNNING"), 1));
    app.runner.exit_all(0);
    again.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "SUCCEEDED");
}

/// A person who cancels a run need not wait for an engine that does not answer. What is left there is removed when it is back.
#[tokio::test]
async fn a_run_on_a_silent_engine_can_be_cancelled() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({})).await;
    app.runner.set_down(true);
    app.clock.forward(600);
    let run = id(&newest(&it, &job).await);
    it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "RUNNING", "the engine may answer soon");
    app.clock.forward(300);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!(run["state"], "CANCELLED");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.contains("may still be running") && reason.contains("the engine is down"), "{reason}");
    app.runner.set_down(false);
    tick::sweep(&app.app, app.app.clock.now()).await;
    assert!(app.runner.steps().is_empty());
}

/// The step of a run that was declared lost is left alone while it runs, and how it ends is noted.
#[tokio::test]
async fn what_a_lost_run_left_is_not_removed_while_it_runs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, json!({})).await;
    let again = app.restarted().await;
    app.runner.set_place("somewhere else");
    app.clock.forward(1000);
    again.settle().await;
    assert_eq!(newest(&it, &job).await["state"], "FAILED");
    app.runner.set_place("fake");
    tick::sweep(&app.app, app.app.clock.now()).await;
    assert_eq!(app.runner.steps().len(), 1, "a running step was removed");
    app.runner.exit_all(0);
    tick::sweep(&app.app, app.app.clock.now()).await;
    assert!(app.runner.steps().is_empty());
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(0)));
    assert!(run["reason"].as_str().unwrap().ends_with("later it was seen to have ended with exit code 0"), "{run}");
}

/// A job that is deleted while its engine does not answer leaves nothing there: its run is remembered until the engine is back.
#[tokio::test]
async fn nothing_is_left_on_an_engine_that_was_away() {
    for whole in [false, true] {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let job = it.create(it.lifecycle("events")).await;
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.set_down(true);
        app.clock.forward(900);
        let path = if whole { format!("/environment/{}", it.environment) } else { format!("/job/{job}") };
        it.client.delete(&path).await.expect(204);
        app.settle().await;
        it.client.get(&path).await.expect(404);
        assert_eq!(app.runner.steps().len(), 1);
        app.runner.set_down(false);
        tick::sweep(&app.app, app.app.clock.now()).await;
        assert!(app.runner.steps().is_empty(), "a step is left");
        app.clock.forward(100 * 24 * 3600);
        while tick::prune(&app.app, app.clock.now()).await.more {}
        use sea_orm::{EntityTrait as _, PaginatorTrait as _};
        assert_eq!(entity::run::Entity::find().count(&app.app.db).await.unwrap(), 0);
    }
}

/// An engine may note the start of a short step after its end.
#[tokio::test]
async fn a_run_does_not_end_before_it_started() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    let now = app.clock.now();
    app.runner.set_times(now, now - chrono::TimeDelta::milliseconds(50));
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(0);
    app.clock.forward(1);
    app.settle().await;
    let run = newest(&it, &job).await;
    assert_eq!((&run["state"], &run["finished_at"]), (&json!("SUCCEEDED"), &run["started_at"]), "{run}");
}
