//! How long runs wait: for a slot, for their turn, and until their starting deadline.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windlass::store::run::QueueWalk;

use super::times::{deployed, explained};
use crate::harness::{Furnished, TestApp};

/// The states of the runs of a job with their reasons, the newest first.
async fn ended(it: &Furnished, job: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    it.runs(job).await.iter().map(|run| (text(&run["state"]), text(&run["reason"]))).collect()
}

/// The skipped times of a job, the newest first.
async fn skipped(it: &Furnished, job: &str) -> Vec<(Value, Value)> {
    let found = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    let rows = found["results"].as_array().unwrap();
    rows.iter().map(|row| (row["scheduled_for"].clone(), row["reason"].clone())).collect()
}

const RUNNING: (&str, &str) = ("RUNNING", "");
const QUEUED: (&str, &str) = ("QUEUED", "");

#[tokio::test]
async fn a_time_that_waits_for_its_turn_is_given_up_at_its_deadline() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let settings = json!({"cronjob.concurrency_policy": "Queue", "cronjob.starting_deadline_seconds": 30});
    let job = deployed(&app, &it, "* * * * *", settings).await;
    for time in ["2026-11-22T10:01:00Z", "2026-11-22T10:02:00Z", "2026-11-22T10:02:30Z"] {
        app.clock.set(time);
        app.settle().await;
    }
    let own = |(state, reason): (&str, &str)| (state.to_owned(), reason.to_owned());
    assert_eq!(ended(&it, &job).await, [QUEUED, RUNNING].map(own));
    app.clock.forward(1);
    app.settle().await;
    let reason = "not started within its starting deadline of 30 s: an older run of its schedule had not ended";
    assert_eq!(ended(&it, &job).await, [("CANCELLED", reason), RUNNING].map(own));
    assert_eq!(skipped(&it, &job).await, [(json!("2026-11-22T10:02:00.000000Z"), json!("TOO_LATE"))]);
    let (verdict, why) = explained(&it, &job, "2026-11-22T10:02:00Z").await;
    assert_eq!((verdict.as_str(), why), ("SKIPPED", format!("the job did not run: {reason}")));
    let metrics = app.client(None).raw("/metrics").await;
    assert!(metrics.contains("windlass_times_skipped_total{reason=\"TooLate\"} 1"), "{metrics}");
    // The time is handled once, and the next one is another.
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T10:03:00Z");
    app.settle().await;
    assert_eq!(ended(&it, &job).await[0], own(RUNNING));
    assert_eq!(skipped(&it, &job).await.len(), 1);
}

#[tokio::test]
async fn a_time_that_waits_for_a_slot_is_given_up_at_its_deadline() {
    let app = TestApp::configured(|config| config.max_runs = 1).await;
    let it = app.furnished().await;
    let other = it.create(it.cron("other", "@yearly")).await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.starting_deadline_seconds": 30})).await;
    it.client.post(&format!("/job/{other}/run"), json!({})).await.expect(202);
    app.settle().await;
    for time in ["2026-11-22T10:01:00Z", "2026-11-22T10:01:31Z"] {
        app.clock.set(time);
        app.settle().await;
    }
    let reason = "not started within its starting deadline of 30 s: no slot was free";
    assert_eq!(ended(&it, &job).await, [("CANCELLED".to_owned(), reason.to_owned())]);
    assert_eq!(skipped(&it, &job).await.len(), 1);
    // What a person cancels is not missed.
    app.clock.set("2026-11-22T10:02:00Z");
    app.settle().await;
    let run = it.runs(&job).await[0]["id"].as_str().unwrap().to_owned();
    it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(ended(&it, &job).await[0].1, "cancelled before the first attempt started");
    assert_eq!(skipped(&it, &job).await.len(), 1);
    assert_eq!(explained(&it, &job, "2026-11-22T10:02:00Z").await.0, "RAN");
}

/// Until the turn of a run has come, it does not wait for a slot.
#[tokio::test]
async fn only_the_time_without_a_free_slot_counts_for_the_time_limit_of_the_queue() {
    let app = TestApp::configured(|config| {
        config.max_runs = 1;
        config.queue_timeout_seconds = 3600;
    })
    .await;
    let it = app.furnished().await;
    let other = it.create(it.cron("other", "@yearly")).await;
    let job = deployed(&app, &it, "0 */2 * * *", json!({"cronjob.concurrency_policy": "Queue"})).await;
    let at = async |time: &str| {
        app.clock.set(&format!("2026-11-22T{time}Z"));
        app.settle().await;
    };
    at("12:00:00").await;
    at("13:59:00").await;
    it.client.post(&format!("/job/{other}/run"), json!({})).await.expect(202);
    at("14:00:00").await;
    // The older run ends, and one of another job gets its slot, because it has waited for longer.
    at("14:50:00").await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.runs(&other).await[0]["state"], "RUNNING");
    for time in ["15:00:01", "15:50:00"] {
        at(time).await;
        assert_eq!(it.runs(&job).await[0]["state"], "QUEUED", "{time}");
    }
    at("15:50:01").await;
    let expected = ("FAILED".to_owned(), "timed out after 3600 s waiting for a free slot".to_owned());
    assert_eq!(ended(&it, &job).await[0], expected);
}

/// It is not cancelled before the first attempt, and why the last one failed is still to be seen.
#[tokio::test]
async fn a_run_that_is_cancelled_between_attempts_says_why_the_last_one_failed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut request = it.cron("job", "@yearly");
    request["max_nb_restart"] = json!(5);
    let job = it.create(request).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    for pause in [10, 0] {
        app.settle().await;
        app.runner.exit_all(1);
        app.settle().await;
        app.clock.forward(pause);
    }
    let run = it.runs(&job).await[0].clone();
    assert_eq!((&run["state"], &run["attempt"]), (&json!("QUEUED"), &json!(3)), "{run}");
    it.client.post(&format!("/run/{}/cancel", run["id"].as_str().unwrap()), json!({})).await.expect(202);
    app.settle().await;
    let reason = "cancelled before attempt 3 started; attempt 2 failed: exit code 1";
    assert_eq!(ended(&it, &job).await, [("CANCELLED".to_owned(), reason.to_owned())]);
}

/// A long queue is looked through in parts, again and again.
#[tokio::test]
async fn every_queued_run_is_looked_at() {
    let app = TestApp::configured(|config| config.max_runs = 0).await;
    let it = app.furnished().await;
    let other = app.furnished_as("other").await;
    for it in [&it, &other] {
        let job = it.create(it.cron("job", "@yearly")).await;
        for _ in 0..3 {
            it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        }
    }
    let walk = QueueWalk::default();
    for _ in 0..2 {
        let mut seen = BTreeSet::new();
        for expected in [4, 2] {
            let page = walk.next(&app.app.db, 4).await.unwrap();
            assert_eq!(page.len(), expected);
            seen.extend(page.iter().map(|run| run.number));
        }
        assert_eq!(seen.len(), 6);
    }
}
