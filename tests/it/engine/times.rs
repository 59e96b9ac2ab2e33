//! Every scheduled time becomes one row: a run, or the reason why there is none.

use serde_json::{Value, json};

use super::rows;
use crate::harness::{Furnished, TestApp};

pub(super) async fn deployed(app: &TestApp, it: &Furnished, expression: &str, settings: Value) -> String {
    let job = it.create(it.cron("job", expression)).await;
    it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    job
}

pub(super) async fn explained(it: &Furnished, job: &str, at: &str) -> (String, String) {
    let found = it.client.get(&format!("/job/{job}/explain?at={at}")).await.expect(200);
    (found["verdict"].as_str().unwrap().to_owned(), found["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_time_that_is_left_out_says_why() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({})).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    app.clock.set("2026-11-22T10:02:01Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T10:05:10Z");
    app.settle().await;
    insta::assert_snapshot!("left_out", rows(&app).await);
    for (at, verdict, word) in [
        ("2026-11-22T10:01:00Z", "RAN", "succeeded"),
        ("2026-11-22T10:02:30Z", "SKIPPED", "had not finished"),
        ("2026-11-22T10:03:00Z", "SKIPPED", "no server started the run in time"),
        ("2026-11-22T10:05:00Z", "RAN", "running"),
        ("2026-11-22T10:06:00Z", "PENDING", "in the future"),
        ("2026-11-22T09:06:00Z", "UNKNOWN", "no record"),
    ] {
        let (found, reason) = explained(&it, &job, at).await;
        assert_eq!(found, verdict, "{at}: {reason}");
        assert!(reason.contains(word), "{at}: {reason}");
    }
    let skipped = it.client.get(&format!("/job/{job}/skippedTime?count=2")).await.expect(200);
    let times: Vec<_> = skipped["results"].as_array().unwrap().iter().map(|row| row["scheduled_for"].clone()).collect();
    assert_eq!(times, ["2026-11-22T10:04:00.000000Z", "2026-11-22T10:03:00.000000Z"]);
    let older = it.client.get(&format!("/job/{job}/skippedTime?before=2026-11-22T10:03:00Z")).await.expect(200);
    assert_eq!(older["results"].as_array().unwrap().len(), 1);
    let lifecycle = it.create(it.lifecycle("events")).await;
    it.client.get(&format!("/job/{lifecycle}/explain")).await.expect(400);
    let hourly = it.create(it.cron("hourly", "0 * * * *")).await;
    assert_eq!(explained(&it, &hourly, "2026-11-22T11:00:00Z").await.0, "NOT_DUE", "it is not deployed");
    assert_eq!(explained(&it, &job, "2026-11-22T10:06:59.5Z").await.0, "PENDING");
}

#[tokio::test]
async fn a_suspended_schedule_leaves_a_trace() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.suspend": true})).await;
    app.clock.set("2026-11-22T10:02:00Z");
    app.settle().await;
    assert_eq!(it.runs(&job).await.len(), 0);
    assert_eq!(
        explained(&it, &job, "2026-11-22T10:02:00Z").await,
        ("SKIPPED".into(), "the job did not run: the schedule was paused or suspended".into())
    );
}

/// Times before a new deployment belong to the old one; none are lost in between.
#[tokio::test]
async fn a_deployment_settles_the_times_before_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({})).await;
    let mut changed = it.cron("job", "0 0 1 1 *");
    changed["schedule"]["cronjob"]["arguments"] = json!(["-c", "new"]);
    it.client.put(&format!("/job/{job}"), changed).await.expect(200);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.clock.set("2026-11-22T10:02:00Z");
    windlass::engine::tick::plan(&app.app, app.clock.now()).await;
    app.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!(
        (runs.len(), &runs[0]["scheduled_for"], &runs[0]["arguments"]),
        (1, &json!("2026-11-22T10:02:00.000000Z"), &json!(["-c", "echo hi"]))
    );
    assert_eq!(explained(&it, &job, "2026-11-22T10:01:00Z").await.0, "SKIPPED");
    assert_eq!(explained(&it, &job, "2026-11-22T10:03:00Z").await.0, "NOT_DUE", "of the schedule that is deployed now");
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    assert_eq!(skipped["results"][0]["scheduled_for"], "2026-11-22T10:01:00.000000Z");
}

#[tokio::test]
async fn a_queue_runs_one_after_another() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let settings = json!({"cronjob.concurrency_policy": "Queue", "cronjob.missed_runs": "all"});
    let job = deployed(&app, &it, "* * * * *", settings).await;
    app.clock.set("2026-11-22T10:03:00Z");
    for expected in ["10:01", "10:02", "10:03"] {
        app.settle().await;
        assert_eq!(app.runner.steps().len(), 1, "only one at a time");
        let running: Vec<_> = it.runs(&job).await.into_iter().filter(|run| run["state"] == "RUNNING").collect();
        assert!(running.len() == 1 && running[0]["scheduled_for"].as_str().unwrap().contains(expected), "{running:?}");
        app.runner.exit_all(0);
    }
    app.settle().await;
    assert!(it.runs(&job).await.iter().all(|run| run["state"] == "SUCCEEDED"));
}

#[tokio::test]
async fn a_newer_run_replaces_an_older_one() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.concurrency_policy": "Replace"})).await;
    for minute in 1..4 {
        app.clock.set(&format!("2026-11-22T10:0{minute}:00Z"));
        app.settle().await;
        assert_eq!(app.runner.steps().len(), 1);
    }
    let states: Vec<_> = it.runs(&job).await.iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["RUNNING", "CANCELLED", "CANCELLED"]);
}

#[tokio::test]
async fn jitter_moves_every_time_and_is_shown() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({"cronjob.jitter_seconds": 3000})).await;
    let next = it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200);
    let at = next["results"][0]["at"].as_str().unwrap().to_owned();
    let jitter = next["jitter_seconds"].as_i64().unwrap();
    let expected =
        "2026-11-22T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap() + chrono::TimeDelta::seconds(jitter);
    let expected = if expected > app.clock.now() { expected } else { expected + chrono::TimeDelta::hours(1) };
    assert_eq!(at.parse::<chrono::DateTime<chrono::Utc>>().unwrap(), expected);
    app.clock.set(&at);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["scheduled_for"], json!(at));
    assert_eq!(explained(&it, &job, &at).await.0, "RAN");
}

/// After an outage of a year the newest times have a row each, the older ones share one, and each can be explained.
#[tokio::test]
async fn a_long_absence_is_told_of() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "*/5 * * * *", json!({})).await;
    app.clock.set("2027-11-22T10:00:10Z");
    app.settle().await;
    assert_eq!(explained(&it, &job, "2027-02-01T00:05:00Z").await.0, "SKIPPED");
    assert_eq!(explained(&it, &job, "2027-02-01T00:06:00Z").await.0, "NOT_DUE");
    assert_eq!(explained(&it, &job, "2027-11-22T09:55:00Z").await.0, "SKIPPED");
    assert_eq!(explained(&it, &job, "2027-11-22T10:00:00Z").await.0, "RAN");
    use sea_orm::{EntityTrait as _, PaginatorTrait as _};
    let rows = entity::skipped_time::Entity::find().count(&app.app.db).await.unwrap();
    assert_eq!(rows, 100);
    app.clock.set("2028-11-22T10:00:10Z");
    windlass::engine::tick::prune(&app.app, app.clock.now()).await;
    assert_eq!(entity::skipped_time::Entity::find().count(&app.app.db).await.unwrap(), 0);
}

#[tokio::test]
async fn exit_codes_and_pauses_by_choice() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut request = it.cron("job", "* * * * *");
    request["max_nb_restart"] = json!(3);
    let job = it.create(request).await;
    let settings =
        json!({"job.retry_backoff_seconds": 2, "job.success_exit_codes": [3], "job.fail_fast_exit_codes": [64]});
    it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    for (codes, state) in [(vec![1, 3], "SUCCEEDED"), (vec![64], "FAILED"), (vec![1, 64], "FAILED")] {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        for code in codes {
            app.settle().await;
            app.runner.exit_all(code);
            app.settle().await;
            app.clock.forward(2);
        }
        assert_eq!(it.runs(&job).await[0]["state"], state);
    }
}

/// Old runs are deleted by count and by age, failed ones later.
#[tokio::test]
async fn runs_are_kept_by_count_and_by_age() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "* * * * *")).await;
    let settings = json!({"job.history_succeeded_count": 2, "job.history_failed_count": 3,
        "job.history_succeeded_days": 1, "job.history_failed_days": 5});
    it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    for code in [0, 1, 0, 1, 0, 1, 0, 1] {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.write(&app.runner.steps()[0], &["a line"]);
        app.runner.exit_all(code);
        app.settle().await;
        while windlass::engine::tick::prune(&app.app, app.clock.now()).await.more {}
    }
    let states = async || {
        let runs = it.runs(&job).await;
        ["SUCCEEDED", "FAILED"].map(|state| runs.iter().filter(|run| run["state"] == state).count())
    };
    assert_eq!(states().await, [2, 3]);
    for (days, expected) in [(1, [0, 3]), (4, [0, 0])] {
        app.clock.forward(days * 86_400);
        while windlass::engine::tick::prune(&app.app, app.clock.now()).await.more {}
        assert_eq!(states().await, expected);
    }
    use sea_orm::{EntityTrait as _, PaginatorTrait as _};
    assert_eq!(entity::log_chunk::Entity::find().count(&app.app.db).await.unwrap(), 0);
}
