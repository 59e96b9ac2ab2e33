//! Schedules that are due at each start of the server.

use chrono::TimeDelta;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use uuid::Uuid;
use windlass::engine::tick;
use windlass::store::server_lease::{Lease, renew};

use super::times::{deployed, explained};
use crate::harness::TestApp;

fn scheduled(runs: &[Value]) -> Vec<&str> {
    runs.iter().map(|run| run["scheduled_for"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_job_runs_once_at_each_start_of_the_installation() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "@reboot", json!({})).await;
    let other = it.create(it.cron("other", "0 0 1 1 *")).await;
    assert_eq!(it.runs(&job).await.len(), 0, "its deployment is no start");
    // All leases of the harness are those of this server.
    tick::begin(&app.app).await.unwrap();
    app.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!((scheduled(&runs), &runs[0]["trigger"]), (vec!["2026-11-22T10:00:30.000000Z"], &json!("SCHEDULE")));
    let (verdict, reason) = explained(&it, &job, "2026-11-22T10:00:30Z").await;
    assert_eq!(verdict, "RAN", "{reason}");
    let (verdict, reason) = explained(&it, &job, "2026-11-22T09:00:00Z").await;
    assert_eq!((&*verdict, reason.contains("at each start of the server")), ("NOT_DUE", true), "{reason}");
    assert_eq!(it.runs(&other).await.len(), 0);

    // Another server that starts, or takes over, begins nothing as long as one is alive.
    let second = app.restarted().await;
    app.clock.set("2026-11-22T10:00:35Z");
    tick::begin(&second.app).await.unwrap();
    second.settle().await;
    assert_eq!(it.runs(&job).await.len(), 1, "the first server is alive");

    // The run of the start before is open until somebody takes it over, and the one of this start waits for that.
    app.clock.set("2026-11-22T11:00:00Z");
    let third = app.restarted().await;
    tick::begin(&third.app).await.unwrap();
    tick::begin(&second.app).await.unwrap();
    third.settle().await;
    let runs = it.runs(&job).await;
    assert_eq!(scheduled(&runs), ["2026-11-22T11:00:00.000000Z", "2026-11-22T10:00:30.000000Z"]);
    app.runner.exit_all(0);
    for _ in 0..3 {
        third.settle().await;
        app.runner.exit_all(0);
    }
    third.settle().await;
    let states: Vec<Value> = it.runs(&job).await.iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["SUCCEEDED", "SUCCEEDED"]);
    let next = it.client.get(&format!("/job/{job}/nextRun")).await.expect(200);
    assert_eq!((&next["results"], &next["active"]), (&json!([]), &json!(true)));
    assert!(next["explanation"].as_str().unwrap().contains("at each start of the server"), "{next}");
}

#[tokio::test]
async fn a_pause_holds_a_start_back_and_a_crash_loses_none() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "@reboot", json!({})).await;
    it.client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    tick::begin(&app.app).await.unwrap();
    app.settle().await;
    assert_eq!(it.runs(&job).await.len(), 0);
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    assert_eq!(skipped["results"][0]["reason"], "PAUSED", "{skipped}");
    it.client.post(&format!("/job/{job}/resume"), json!({})).await.expect(200);

    // A server that ends before it has come to the job has begun all the same.
    app.clock.set("2026-11-22T12:00:00Z");
    tick::begin(&app.restarted().await.app).await.unwrap();
    app.clock.set("2026-11-22T13:00:00Z");
    let last = app.restarted().await;
    tick::begin(&last.app).await.unwrap();
    last.settle().await;
    let times = it.runs(&job).await;
    assert_eq!(scheduled(&times), ["2026-11-22T13:00:00.000000Z", "2026-11-22T12:00:00.000000Z"]);
}

#[tokio::test]
async fn what_an_expired_lease_says_is_no_server() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "@reboot", json!({})).await;
    let now = app.app.clock.now();
    entity::server_lease::Entity::delete_many().exec(&app.app.db).await.unwrap();
    let lease = |owner: u128, until| Lease { owner: Uuid::from_u128(owner), until };
    renew(&app.app.db, lease(1, now - TimeDelta::seconds(1))).await.unwrap();
    tick::begin(&app.app).await.unwrap();
    app.settle().await;
    assert_eq!(it.runs(&job).await.len(), 1);
    entity::server_lease::Entity::delete_many().exec(&app.app.db).await.unwrap();
    renew(&app.app.db, lease(2, now + TimeDelta::seconds(1))).await.unwrap();
    tick::begin(&app.app).await.unwrap();
    app.settle().await;
    assert_eq!(it.runs(&job).await.len(), 1, "another server is alive");
}

#[tokio::test]
async fn a_start_stands_alone_and_is_for_jobs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let wrong = it.cron("wrong", "@reboot | @daily");
    let refused = it.client.post(&format!("/environment/{}/job", it.environment), wrong).await.detail(400);
    assert!(refused.contains("@reboot cannot be joined"), "{refused}");
    let check = json!({"name": "check", "schedule": {"scheduled_at": "@reboot"}});
    let refused = it.client.post(&format!("/environment/{}/check", it.environment), check).await.detail(400);
    assert!(refused.contains("schedule.scheduled_at: @reboot is a start of this server"), "{refused}");
    let shown = it.client.get("/schedule/preview?scheduled_at=@reboot").await.expect(200);
    assert_eq!(shown["results"], json!([]));
    assert!(shown["explanation"].as_str().unwrap().contains("at each start of the server"), "{shown}");
}
