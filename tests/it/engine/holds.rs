//! Requests about a schedule that need no deployment: pauses, times to skip, backfills; and previews.

use serde_json::{Value, json};

use super::times::{deployed, explained};
use crate::harness::TestApp;

fn times(list: &Value) -> Vec<(String, Value)> {
    let of = |row: &Value| (row["at"].as_str().unwrap()[11..16].to_owned(), row["skip_reason"].clone());
    list["results"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn a_paused_schedule_runs_nothing_until_its_end() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({})).await;
    let path = |what: &str| format!("/job/{job}/{what}");
    it.client.post(&path("pause"), json!({"until": "2026-11-22T10:00:30Z"})).await.expect(400);
    let held = it.client.post(&path("pause"), json!({"until": "2026-11-22T10:03:00Z"})).await.expect(200);
    assert_eq!(held["pause"]["until"], "2026-11-22T10:03:00.000000Z");
    let next = it.client.get(&path("nextRun?count=3")).await.expect(200);
    let paused = json!("PAUSED");
    let expected = [("10:01".to_owned(), paused.clone()), ("10:02".into(), paused), ("10:03".into(), Value::Null)];
    assert_eq!(times(&next), expected);
    assert_eq!(next["pause"]["paused_at"], "2026-11-22T10:00:30.000000Z");
    let (verdict, reason) = explained(&it, &job, "2026-11-22T10:02:00Z").await;
    assert!(verdict == "PENDING" && reason.contains("will be skipped"), "{reason}");
    // A deployment changes nothing about it.
    it.client.post(&path("deploy"), json!({})).await.expect(202);
    app.settle().await;
    for minute in 1..=3 {
        app.clock.set(&format!("2026-11-22T10:0{minute}:00Z"));
        app.settle().await;
        assert_eq!(it.runs(&job).await.len(), usize::from(minute == 3), "{minute}");
    }
    let (verdict, reason) = explained(&it, &job, "2026-11-22T10:02:00Z").await;
    assert!(verdict == "SKIPPED" && reason.contains("paused"), "{reason}");
    let next = it.client.get(&path("nextRun?count=1")).await.expect(200);
    assert_eq!((&next["pause"], &next["results"][0]["skip_reason"]), (&Value::Null, &Value::Null));
}

/// What came before the pause runs, and what came during the pause does not, even if no server was there.
#[tokio::test]
async fn a_pause_without_end_is_ended_by_resume() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.missed_runs": "all"})).await;
    app.clock.set("2026-11-22T10:01:20Z");
    it.client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    app.clock.set("2026-11-22T10:03:20Z");
    let held = it.client.post(&format!("/job/{job}/resume"), json!({})).await.expect(200);
    assert_eq!((&held["pause"], &held["skip"]), (&Value::Null, &json!([])));
    it.client.post(&format!("/job/{job}/resume"), json!({})).await.expect(200);
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T10:04:00Z");
    app.settle().await;
    let runs = it.runs(&job).await;
    let of: Vec<_> = runs.iter().map(|run| &run["scheduled_for"].as_str().unwrap()[11..16]).collect();
    assert_eq!(of, ["10:04", "10:01"]);
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    let reasons: Vec<_> = skipped["results"].as_array().unwrap().iter().map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, ["PAUSED", "PAUSED"]);
    let events = it.client.get(&format!("/organization/{}/events", it.organization)).await.expect(200);
    let updates = events["events"].as_array().unwrap().iter().filter(|event| event["event_type"] == "UPDATE");
    assert!(
        updates.filter(|event| event["change"].as_str().is_some_and(|change| change.contains("paused"))).count() >= 2
    );
}

#[tokio::test]
async fn a_time_is_skipped_by_request() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "*/2 * * * *", json!({})).await;
    let skip = async |at: &str, status: u16| {
        it.client.post(&format!("/job/{job}/skip"), json!({ "at": at })).await.expect(status)
    };
    let refused = skip("2026-11-22T10:03:00Z", 400).await;
    assert!(refused["message"].as_str().unwrap().contains("2026-11-22T10:04:00"), "{refused}");
    skip("2026-11-22T10:00:00Z", 400).await;
    let held = skip("2026-11-22T10:04:00Z", 200).await;
    assert_eq!(held["skip"], json!(["2026-11-22T10:04:00.000000Z"]));
    skip("2026-11-22T10:04:00Z", 200).await;
    let next = it.client.get(&format!("/job/{job}/nextRun?count=2")).await.expect(200);
    assert_eq!(times(&next), [("10:02".to_owned(), Value::Null), ("10:04".into(), json!("REQUESTED"))]);
    for at in ["2026-11-22T10:02:00Z", "2026-11-22T10:04:00Z", "2026-11-22T10:06:00Z"] {
        app.clock.set(at);
        app.settle().await;
        app.runner.exit_all(0);
        app.settle().await;
    }
    let runs = it.runs(&job).await;
    let of: Vec<_> = runs.iter().map(|run| &run["scheduled_for"].as_str().unwrap()[11..16]).collect();
    assert_eq!(of, ["10:06", "10:02"]);
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    assert_eq!(skipped["results"][0]["reason"], "REQUESTED");
    assert!(explained(&it, &job, "2026-11-22T10:04:00Z").await.1.contains("requested"));
    let lifecycle = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{lifecycle}/pause"), json!({})).await.expect(400);
}

#[tokio::test]
async fn past_times_run_in_the_background() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({})).await;
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let ask = async |from: &str, until: &str, limit: i32, status: u16| {
        let span = json!({"from": from, "until": until, "limit": limit});
        it.client.post(&format!("/job/{job}/backfill"), span).await.expect(status)
    };
    ask("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z", 10, 400).await;
    ask("2026-11-22T08:00:00Z", "2026-11-22T13:00:00Z", 10, 400).await;
    ask("2026-11-22T08:10:00Z", "2026-11-22T08:20:00Z", 10, 400).await;
    ask("2026-11-22T11:00:00Z", "2026-11-22T11:00:00.5Z", 10, 400).await;
    app.clock.set("2026-11-22T11:30:00Z");
    ask("2026-11-22T11:00:00Z", "2026-11-22T11:30:00Z", 10, 409).await;
    let made = ask("2026-11-22T08:00:00Z", "2026-11-22T11:30:00Z", 3, 202).await;
    assert_eq!((&made["runs"], &made["refused"], &made["more"]), (&json!(3), &json!(0), &json!(true)));
    let again = ask("2026-11-22T08:00:00Z", "2026-11-22T11:30:00Z", 100, 409).await;
    assert!(again["message"].as_str().unwrap().contains("already has a run"), "{again}");
    let running = async || {
        let runs = it.runs(&job).await;
        let running = runs.iter().filter(|run| run["state"] == "RUNNING");
        running.map(|run| run["scheduled_for"].as_str().unwrap()[11..16].to_owned()).collect::<Vec<_>>()
    };
    for expected in ["08:00", "09:00"] {
        app.settle().await;
        assert_eq!(running().await, [expected]);
        app.runner.exit_all(0);
        app.settle().await;
    }
    // A time of the schedule waits for no queued run of the backfill, and the backfill waits for it.
    assert_eq!(running().await, ["10:00"]);
    app.runner.exit_all(0);
    app.settle().await;
    app.clock.set("2026-11-22T11:58:00Z");
    let more = ask("2026-11-22T06:00:00Z", "2026-11-22T08:00:00Z", 100, 202).await;
    app.clock.set("2026-11-22T12:00:00Z");
    windlass::engine::tick::plan(&app.app, app.clock.now()).await;
    app.settle().await;
    assert_eq!(running().await, ["12:00"]);
    app.runner.exit_all(0);
    app.settle().await;
    app.settle().await;
    assert_eq!(running().await, ["06:00"]);
    let id = more["id"].as_str().unwrap();
    let cancelled = it.client.post(&format!("/job/{job}/backfill/{id}/cancel"), json!({})).await.expect(202);
    assert_eq!(cancelled["runs"], 2);
    app.settle().await;
    let runs = it.runs(&job).await;
    let of_it: Vec<_> = runs.iter().filter(|run| run["backfill_id"] == more["id"]).collect();
    assert!(of_it.len() == 2 && of_it.iter().all(|run| run["state"] == "CANCELLED"), "{of_it:?}");
    it.client.post(&format!("/job/{job}/backfill/{job}/cancel"), json!({})).await.expect(404);
    let lifecycle = it.create(it.lifecycle("events")).await;
    let span = json!({"from": "2026-11-22T08:00:00Z", "until": "2026-11-22T09:00:00Z"});
    it.client.post(&format!("/job/{lifecycle}/backfill"), span).await.expect(400);
}

/// A skipped time that is run after all is a run, and no longer a skipped time.
#[tokio::test]
async fn a_backfill_replaces_skipped_times() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({"cronjob.suspend": true})).await;
    app.clock.set("2026-11-22T12:00:00Z");
    app.settle().await;
    assert_eq!(explained(&it, &job, "2026-11-22T11:00:00Z").await.0, "SKIPPED");
    let span = json!({"from": "2026-11-22T11:00:00Z", "until": "2026-11-22T12:00:00Z"});
    it.client.post(&format!("/job/{job}/backfill"), span).await.expect(202);
    app.settle().await;
    assert_eq!(explained(&it, &job, "2026-11-22T11:00:00Z").await.0, "RAN");
    let skipped = it.client.get(&format!("/job/{job}/skippedTime")).await.expect(200);
    assert_eq!(skipped["results"].as_array().unwrap().len(), 1);
    let step = app.runner.started().pop().unwrap();
    let variable = step.environment.iter().find(|(key, _)| key == "WINDLASS_SCHEDULED_FOR").unwrap();
    assert!(variable.1.expose().starts_with("2026-11-22T11:00:00"), "not the past time");
}

#[tokio::test]
async fn manual_runs_count_by_choice() {
    for (settings, state) in [
        (json!({}), "RUNNING"),
        (json!({"cronjob.manual_runs_count": true}), "OVERLAP"),
        (json!({"cronjob.manual_runs_count": true, "cronjob.concurrency_policy": "Queue"}), "QUEUED"),
        (json!({"cronjob.manual_runs_count": true, "cronjob.concurrency_policy": "Replace"}), "CANCELLED"),
    ] {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let job = deployed(&app, &it, "* * * * *", settings.clone()).await;
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.clock.set("2026-11-22T10:01:00Z");
        app.settle().await;
        app.settle().await;
        let runs = it.runs(&job).await;
        let of = |trigger: &str| runs.iter().find(|run| run["trigger"] == trigger).map(|run| run["state"].clone());
        match state {
            "OVERLAP" => assert_eq!((of("SCHEDULE"), of("MANUAL")), (None, Some(json!("RUNNING"))), "{settings}"),
            "CANCELLED" => assert_eq!(of("MANUAL"), Some(json!("CANCELLED")), "{settings}"),
            state => assert_eq!(of("SCHEDULE"), Some(json!(state)), "{settings}"),
        }
    }
}

#[tokio::test]
async fn a_schedule_can_be_tried_without_a_job() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let of = "/schedule/preview?scheduled_at=30+2+*+*+*&timezone=Europe/Berlin&after=2027-03-27T12:00:00Z&count=2";
    let shown = it.client.get(of).await.expect(200);
    let local: Vec<_> = shown["results"].as_array().unwrap().iter().map(|row| row["local_time"].clone()).collect();
    assert_eq!(local, ["2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]);
    let soon = it.client.get("/schedule/preview?scheduled_at=@hourly").await.expect(200);
    assert_eq!(soon["results"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&soon["timezone"], &soon["results"][0]["at"]),
        (&json!("Etc/UTC"), &json!("2026-11-22T11:00:00.000000Z"))
    );
    for (query, field) in [
        ("scheduled_at=0+0+32+2+*", "scheduled_at"),
        ("scheduled_at=@daily&timezone=Mars/Olympus", "timezone"),
        ("scheduled_at=@daily&count=0", "count"),
        ("timezone=Etc/UTC", "scheduled_at"),
    ] {
        let refused = it.client.get(&format!("/schedule/preview?{query}")).await.expect(400);
        assert!(refused["message"].as_str().unwrap().contains(field), "{query}: {refused}");
    }
}

/// An edit shows its times before it is deployed.
#[tokio::test]
async fn a_draft_has_times_of_its_own() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it, "0 * * * *", json!({})).await;
    it.client.put(&format!("/job/{job}"), it.cron("job", "30 * * * *")).await.expect(200);
    let next = it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200);
    assert_eq!((&next["scheduled_at"], &next["active"]), (&json!("0 * * * *"), &json!(true)));
    assert_eq!(next["results"][0]["at"], "2026-11-22T11:00:00.000000Z");
    let draft = it.client.get(&format!("/job/{job}/nextRun?count=1&draft=true")).await.expect(200);
    assert_eq!((&draft["scheduled_at"], &draft["active"]), (&json!("30 * * * *"), &json!(false)));
    assert_eq!(draft["results"][0]["at"], "2026-11-22T10:30:00.000000Z");
}
