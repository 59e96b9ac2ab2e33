//! The clock goes forward and back; whatever it does, the next time is the first one after now.

use serde_json::json;

use super::times::{deployed, explained};
use crate::harness::TestApp;

#[tokio::test]
async fn a_clock_that_was_ahead_loses_no_time() {
    for restarts in [false, true] {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let job = deployed(&app, &it, "* * * * *", json!({})).await;
        app.clock.set("2026-11-22T12:00:30Z");
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
        assert_eq!(it.runs(&job).await.len(), 1);
        // What remembers the wrong time in a process is gone after a restart.
        let again = app.restarted().await;
        let server = if restarts { &again } else { &app };
        app.clock.set("2026-11-22T10:01:30Z");
        server.settle().await;
        let next = it.client.get(&format!("/job/{job}/nextRun?count=2")).await.expect(200);
        assert_eq!(next["results"][0]["at"], "2026-11-22T10:02:00.000000Z", "restarts: {restarts}");
        assert_eq!(next["results"][1]["at"], "2026-11-22T10:03:00.000000Z");
        assert_eq!(
            explained(&it, &job, "2026-11-22T11:00:00Z").await,
            ("PENDING".into(), "the time is in the future".into())
        );
        app.clock.set("2026-11-22T10:02:00Z");
        server.settle().await;
        assert_eq!(it.runs(&job).await[0]["scheduled_for"], "2026-11-22T10:02:00.000000Z", "restarts: {restarts}");
        app.runner.exit_all(0);
        // The time that ran too early does not run again.
        app.clock.set("2026-11-22T12:00:00Z");
        server.settle().await;
        app.runner.exit_all(0);
        server.settle().await;
        let runs = it.runs(&job).await;
        let early = runs.iter().filter(|run| run["scheduled_for"] == "2026-11-22T12:00:00.000000Z");
        assert_eq!(early.count(), 1);
    }
}

/// A time that was planned by other rules of its zone is planned again by the first server that starts with the new ones.
#[tokio::test]
async fn new_rules_of_time_zones_apply_at_once() {
    use sea_orm::{ActiveModelTrait as _, ActiveValue::Set};
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({})).await;
    let id = entity::id::JobId(job.parse().unwrap());
    for wrong in ["2026-11-22T12:00:00Z", "2026-11-22T10:40:00Z"] {
        windlass::store::job_schedule::set(&app.app.db, id, Some(wrong.parse().unwrap())).await.unwrap();
        app.restarted().await.settle().await;
        let next = async || windlass::store::job_schedule::of_job(&app.app.db, id).await.unwrap().unwrap().to_rfc3339();
        assert!(next().await.starts_with(&wrong[..16]), "the same rules");
        let zones = entity::counter::ActiveModel { name: Set(entity::counter::ZONES.into()), value: Set(1) };
        zones.update(&app.app.db).await.unwrap();
        app.restarted().await.settle().await;
        assert!(next().await.starts_with("2026-11-22T11:00"), "{}", next().await);
    }
}

/// A run that was queued while the clock was ahead does not wait for that time.
#[tokio::test]
async fn what_was_queued_in_the_future_starts() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({})).await;
    app.clock.set("2026-11-22T12:00:30Z");
    windlass::engine::tick::plan(&app.app, app.clock.now()).await;
    app.clock.set("2026-11-22T10:01:30Z");
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "RUNNING");
}

#[tokio::test]
async fn deployment_rules_and_workspaces_are_planned_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let rule = json!({
        "timezone": "Etc/UTC", "start_time": "1970-01-01T08:00:00Z", "stop_time": "1970-01-01T19:00:00Z",
        "weekdays": ["MONDAY"], "auto_stop": true,
    });
    let environment = &it.environment;
    it.client.put(&format!("/environment/{environment}/deploymentRule/{environment}"), rule).await.expect(200);
    app.clock.set("2026-12-05T12:00:00Z");
    app.settle().await;
    app.clock.set("2026-11-22T10:01:30Z");
    app.settle().await;
    use sea_orm::EntityTrait as _;
    let row = entity::deployment_rule::Entity::find().one(&app.app.db).await.unwrap().unwrap();
    assert_eq!(row.next_start_at, Some("2026-11-23T08:00:00Z".parse().unwrap()));
    assert_eq!(row.next_stop_at, Some("2026-11-23T19:00:00Z".parse().unwrap()));
}

/// With `all`, every missed time runs, even if only one may run at a time.
#[tokio::test]
async fn forbid_catches_up_on_all_times_one_after_the_other() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.missed_runs": "all"})).await;
    app.clock.set("2026-11-22T10:06:00Z");
    for minute in 1..=6 {
        app.settle().await;
        let running: Vec<_> = it.runs(&job).await.into_iter().filter(|run| run["state"] == "RUNNING").collect();
        assert_eq!(running.len(), 1, "{running:?}");
        assert_eq!(running[0]["scheduled_for"], format!("2026-11-22T10:0{minute}:00.000000Z"));
        app.runner.exit_all(0);
    }
    app.settle().await;
    let runs = it.runs(&job).await;
    assert!(runs.len() == 6 && runs.iter().all(|run| run["state"] == "SUCCEEDED"), "{runs:?}");
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    assert_eq!(skipped["results"], json!([]));
}

/// The run ended while no server was there, so nothing was open at the missed time.
#[tokio::test]
async fn a_run_that_ended_unseen_keeps_no_time_out() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({})).await;
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.clock.set("2026-11-22T12:05:00Z");
    app.settle().await;
    app.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!(runs[0]["scheduled_for"], "2026-11-22T12:00:00.000000Z", "{runs:?}");
    assert_eq!((&runs[0]["state"], &runs[1]["state"]), (&json!("RUNNING"), &json!("SUCCEEDED")));
}
