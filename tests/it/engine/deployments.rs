//! Deployments: one at a time in an environment, finished when all of their parts are.

use serde_json::json;

use super::rows;
use crate::harness::{TestApp, id};

#[tokio::test]
async fn deployments_of_an_environment_wait_for_each_other() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (events, cron) = (it.create(it.lifecycle("events")).await, it.create(it.cron("minutely", "* * * * *")).await);
    let environment = format!("/environment/{}", it.environment);
    it.client.call(poem::http::Method::POST, &format!("{environment}/deploy"), None).await.expect(202);
    it.client.call(poem::http::Method::POST, &format!("{environment}/stop"), None).await.expect(202);
    app.settle().await;
    assert_eq!((it.state(&events).await.as_str(), it.state(&cron).await.as_str()), ("STOP_QUEUED", "STOP_QUEUED"));
    insta::assert_snapshot!("one_runs_one_waits", rows(&app).await);
    app.runner.exit_all(0);
    app.settle().await;
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    insta::assert_snapshot!("both_ended", rows(&app).await);
    assert_eq!((it.state(&events).await.as_str(), it.state(&cron).await.as_str()), ("STOPPED", "STOPPED"));
}

#[tokio::test]
async fn one_failed_part_fails_the_deployment_and_not_the_others() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (bad, good) = (it.create(it.lifecycle("bad")).await, it.create(it.lifecycle("good")).await);
    let environment = format!("/environment/{}", it.environment);
    it.client.call(poem::http::Method::POST, &format!("{environment}/deploy"), None).await.expect(202);
    app.settle().await;
    let steps = app.runner.started();
    let name = |job: &str| {
        steps.iter().find(|s| s.labels.contains(&("windlass.job".into(), job.into()))).unwrap().name.clone()
    };
    app.runner.set(&name(&bad), windlass::runner::StepState::Exited { exit_code: 1, reason: None });
    app.runner.set(&name(&good), windlass::runner::StepState::Exited { exit_code: 0, reason: None });
    app.settle().await;
    assert_eq!((it.state(&bad).await.as_str(), it.state(&good).await.as_str()), ("DEPLOYMENT_ERROR", "DEPLOYED"));
    let status = it.client.get(&format!("{environment}/status")).await.expect(200);
    assert_eq!(
        (&status["state"], &status["last_deployment_state"]),
        (&json!("DEPLOYMENT_ERROR"), &json!("DEPLOYMENT_ERROR"))
    );
}

/// Two servers tick at the same time: every deployment starts once.
#[tokio::test]
async fn servers_that_tick_together_start_a_deployment_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    let others = [app.restarted().await, app.restarted().await];
    for _ in 0..5 {
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        tokio::join!(app.settle(), others[0].settle(), others[1].settle());
        app.runner.exit_all(0);
        tokio::join!(app.settle(), others[0].settle(), others[1].settle());
        app.settle().await;
        assert_eq!(it.state(&job).await, "DEPLOYED");
    }
    assert_eq!((it.runs(&job).await.len(), app.runner.started().len()), (5, 5));
}

/// Many deployments that wait for their runs do not delay the end of another one.
#[tokio::test]
async fn deployments_that_wait_are_in_nobodys_way() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    let environment = format!("/environment/{}", it.environment);
    for number in 0..=windlass::engine::tick::BATCH {
        let clone = json!({"name": format!("copy {number}")});
        let copy = id(&it.client.post(&format!("{environment}/clone"), clone).await.expect(202));
        it.client.post(&format!("/environment/{copy}/deploy"), json!({})).await.expect(202);
    }
    app.settle().await;
    app.clock.forward(1);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYING");
    it.client.post(&format!("{environment}/cancelDeployment"), json!({"force_cancel": true})).await.expect(202);
    app.settle().await;
    assert_eq!(it.state(&job).await, "CANCELED");
}

/// What runs nothing waits for nothing: each stage asks for the next pass, and nothing is asked for once all is done.
#[tokio::test]
async fn stages_without_runs_follow_at_once() {
    use futures_util::FutureExt as _;
    use windlass::engine::tick;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let environment = format!("/environment/{}", it.environment);
    let mut jobs = Vec::new();
    for number in 0..3 {
        let job = it.create(it.cron(&format!("cron {number}"), "@yearly")).await;
        let stage = json!({"name": format!("stage {number}")});
        let stage = id(&it.client.post(&format!("{environment}/deploymentStage"), stage).await.expect(200));
        let attach = format!("/deploymentStage/{stage}/service/{job}");
        it.client.call(poem::http::Method::PUT, &attach, None).await.expect(200);
        jobs.push(job);
    }
    for (action, state) in [("deploy", "DEPLOYED"), ("stop", "STOPPED")] {
        it.client.call(poem::http::Method::POST, &format!("{environment}/{action}"), None).await.expect(202);
        let mut woken = app.app.wake.listen();
        for stage in 0..3 {
            tick::plan(&app.app, app.clock.now()).await;
            assert!(woken.wait().now_or_never().is_some(), "{action}: stage {stage} asks for the next pass");
        }
        tick::plan(&app.app, app.clock.now()).await;
        for job in &jobs {
            assert_eq!(it.state(job).await, state);
        }
        assert!(woken.wait().now_or_never().is_none(), "{action}: nothing is left to do");
    }
}
