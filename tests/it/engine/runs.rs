//! Runs: attempts, results, and servers that are killed at any point.

use serde_json::json;
use windlass::runner::StepState;

use super::rows;
use crate::harness::{Furnished, TestApp};

async fn started(app: &TestApp, it: &Furnished, change: serde_json::Value) -> String {
    let mut job = it.lifecycle("events");
    for (key, value) in change.as_object().unwrap() {
        job[key] = value.clone();
    }
    it.deployed(app, job).await
}

#[tokio::test]
async fn failed_attempts_are_repeated_with_a_pause() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({"max_nb_restart": 2})).await;
    for _ in 0..2 {
        let name = app.runner.steps().remove(0);
        app.runner.write(&name, &[&name[name.len() - 1..]]);
        app.runner.exit_all(1);
        app.settle().await;
        assert_eq!((it.runs(&job).await[0]["state"].as_str().unwrap(), app.runner.steps().len()), ("QUEUED", 0));
        app.clock.forward(9);
        app.settle().await;
        assert!(app.runner.steps().is_empty(), "the next attempt did not wait");
        app.clock.forward(11);
        app.settle().await;
    }
    app.runner.exit_all(0);
    app.settle().await;
    insta::assert_snapshot!("third_attempt", rows(&app).await);
    let names: Vec<String> = app.runner.started().into_iter().map(|step| step.name).collect();
    assert!(names[0].ends_with("-1") && names[1].ends_with("-2") && names[2].ends_with("-3"));
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_stopped() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({"max_duration_seconds": 30, "max_nb_restart": 5})).await;
    app.clock.forward(29);
    app.settle().await;
    assert!(app.runner.stopped().is_empty());
    app.clock.forward(1);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(
        (&run["state"], &run["reason"]),
        (&json!("FAILED"), &json!("the run exceeded its time limit of 30 seconds"))
    );
    assert_eq!((app.runner.stopped().len(), app.runner.started().len(), app.runner.steps().len()), (1, 1, 0));
}

#[tokio::test]
async fn a_killed_server_finds_its_runs_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({})).await;
    let name = app.runner.steps().remove(0);
    app.runner.write(&name, &["before"]);
    app.tick().await;
    let again = app.restarted().await;
    app.runner.write(&name, &["without a server"]);
    app.runner.exit_all(4);
    again.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "RUNNING", "the lease of the killed server still holds");
    app.clock.forward(16);
    again.settle().await;
    insta::assert_snapshot!("found_again", rows(&app).await);
    assert_eq!(app.runner.started().len(), 1);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["exit_code"], 4);
}

/// A server is killed after it has claimed a run and before it has called the runner: the next server starts the run, once.
#[tokio::test]
async fn a_claimed_run_is_started_by_the_next_server() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.set_down(true);
    let job = started(&app, &it, json!({})).await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!((&run["state"], &run["started_at"]), (&json!("RUNNING"), &json!(null)));
    app.runner.set_down(false);
    let again = app.restarted().await;
    app.clock.forward(16);
    again.settle().await;
    app.settle().await;
    assert_eq!(app.runner.started().len(), 1);
    app.runner.exit_all(0);
    again.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "SUCCEEDED");
}

#[tokio::test]
async fn a_run_that_cannot_be_started_fails_in_time() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    app.runner.set_down(true);
    let job = started(&app, &it, json!({})).await;
    app.clock.forward(299);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "RUNNING");
    app.clock.forward(1);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!((&run["state"], &run["reason"]), (&json!("FAILED"), &json!("the engine is down")));
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
}

#[tokio::test]
async fn reasons_of_the_runner_are_shown() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let cases = [
        (StepState::CannotStart { reason: "the image is not there".into() }, "the image is not there"),
        (StepState::Exited { exit_code: 137, reason: Some("out of memory".into()) }, "out of memory"),
        (StepState::Lost, "the run was lost: the runner no longer knows it, so its exit code is unknown"),
        (StepState::Unknown, "the run was lost: the runner no longer knows it, so its exit code is unknown"),
    ];
    let job = it.create(it.lifecycle("events")).await;
    for (progress, reason) in cases {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        let name = app.runner.steps().remove(0);
        if progress == StepState::Unknown {
            app.runner.lose(&name)
        } else {
            app.runner.set(&name, progress)
        }
        app.settle().await;
        let run = it.runs(&job).await.remove(0);
        assert_eq!((&run["state"], &run["reason"]), (&json!("FAILED"), &json!(reason)));
    }
    assert_eq!(app.runner.started().len(), 4, "a lost run was started again");
}

#[tokio::test]
async fn no_more_runs_at_once_than_allowed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for number in 0..20 {
        it.create(it.lifecycle(&format!("job {number}"))).await;
    }
    it.client
        .call(poem::http::Method::POST, &format!("/environment/{}/deploy", it.environment), None)
        .await
        .expect(202);
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 16);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(app.runner.steps().len(), 4);
}

/// All lines are copied in order before the run ends, even if there are more than one pass copies.
#[tokio::test]
async fn a_long_log_is_copied_whole() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({})).await;
    let name = app.runner.steps().remove(0);
    let lines: Vec<String> = (0..7000).map(|number| number.to_string()).collect();
    app.runner.write(&name, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    app.runner.exit_all(0);
    app.tick().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(run["state"], "SUCCEEDED");
    let log = it.client.get(&format!("/run/{}/log", crate::harness::id(&run))).await;
    assert_eq!(log.text, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

/// A log that cannot be read delays the end of a run, but not forever.
#[tokio::test]
async fn a_lost_log_does_not_keep_a_run_open() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({})).await;
    app.runner.set_logs_down(true);
    app.runner.exit_all(3);
    // Its end is seen only now, however long ago it ended.
    app.clock.forward(600);
    app.settle().await;
    app.clock.forward(119);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "RUNNING");
    app.clock.forward(1);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!(run["reason"], "exit code 3; the end of the log could not be read");
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(3)));
}

#[tokio::test]
async fn the_step_has_the_limits_and_the_built_in_variables() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let secret = json!({"key": "PASSWORD", "value": "not-to-be-printed"});
    it.client.post(&format!("/project/{}/secret", it.project), secret).await.expect(201);
    let job = started(&app, &it, json!({"cpu": 250, "memory": 64})).await;
    let step = app.runner.started().remove(0);
    assert_eq!((step.cpu_milli, step.memory_mib, step.entrypoint.as_deref()), (250, 64, Some("/bin/sh")));
    let of = |name: &str| step.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().clone());
    assert_eq!(of("QOVERY_JOB_ID"), Some(job.clone()));
    assert_eq!(of("QOVERY_ENVIRONMENT_ID"), Some(it.environment.clone()));
    assert_eq!(of("QOVERY_PROJECT_ID"), Some(it.project.clone()));
    assert_eq!(of("QOVERY_ENVIRONMENT_NAME").as_deref(), Some("staging"));
    assert_eq!(of("QOVERY_ENVIRONMENT_TYPE").as_deref(), Some("DEVELOPMENT"));
    assert_eq!(of("QOVERY_JOB_ACTION").as_deref(), Some("START"));
    assert_eq!(of(&format!("QOVERY_JOB_Z{}_TAG", job[..8].to_uppercase())).as_deref(), Some("1.36.1"));
    assert_eq!(of("PASSWORD").as_deref(), Some("not-to-be-printed"));
    assert!(!format!("{step:?}").contains("not-to-be-printed"), "Debug prints a value: {step:?}");
}

/// Steps of a killed server are removed by the next one; steps of others stay.
#[tokio::test]
async fn steps_that_were_left_behind_are_removed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({})).await;
    app.runner.exit_all(0);
    app.settle().await;
    let run = crate::harness::id(&it.runs(&job).await[0]);
    use windlass::runner::Runner as _;
    let spec = |name: &str| windlass::runner::StepSpec { name: name.to_owned(), ..app.runner.started().remove(0) };
    app.runner.start(&spec(&format!("windlass-{run}-1"))).await.unwrap();
    app.runner.start(&spec("windlass-00000000-0000-7000-8000-000000000000-1")).await.unwrap();
    app.runner.start(&spec("something else")).await.unwrap();
    windlass::engine::tick::sweep(&app.app, app.clock.now()).await;
    assert_eq!(app.runner.steps(), ["something else", "windlass-00000000-0000-7000-8000-000000000000-1"]);
}

/// A run on another engine is neither started nor polled on this one; if no server returns for it, it is lost.
#[tokio::test]
async fn a_run_of_another_engine_is_not_started_twice() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = started(&app, &it, json!({})).await;
    let again = app.restarted().await;
    app.runner.set_place("somewhere else");
    app.clock.forward(600);
    again.settle().await;
    assert_eq!((it.runs(&job).await[0]["state"].as_str().unwrap(), app.runner.started().len()), ("RUNNING", 1));
    app.clock.forward(400);
    again.settle().await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!((run["state"].as_str().unwrap(), app.runner.started().len()), ("FAILED", 1));
    assert!(run["reason"].as_str().unwrap().contains("lost"), "{run}");
}
