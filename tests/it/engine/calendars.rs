//! Calendars remove times from schedules, at once and by name.

use entity::job_schedule;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use super::times::{deployed, explained};
use crate::harness::{Furnished, TestApp, id};

/// Creates a calendar; returns its path.
async fn calendar(it: &Furnished, body: Value) -> String {
    let calendars = format!("/organization/{}/calendar", it.organization);
    format!("{calendars}/{}", id(&it.client.post(&calendars, body).await.expect(201)))
}

async fn skipped(it: &Furnished, job: &str) -> Vec<(String, String, Value)> {
    let list = it.client.get(&format!("/job/{job}/skippedTime?count=200")).await.expect(200);
    let of = |row: &Value| {
        let time = row["scheduled_for"].as_str().unwrap()[11..16].to_owned();
        (time, row["reason"].as_str().unwrap().to_owned(), row["detail"].clone())
    };
    list["results"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn an_excluded_time_is_a_skipped_time_with_its_calendar() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let span = json!([{"from": "2026-11-22T11:02", "to": "2026-11-22T10:04:00Z"}]);
    let body = json!({"name": "maintenance", "timezone": "Europe/Berlin", "spans": span});
    calendar(&it, body).await;
    let settings = json!({"cronjob.exclude_calendars": ["maintenance"], "cronjob.missed_runs": "all"});
    let job = deployed(&app, &it, "* * * * *", settings).await;
    let why = "the calendar maintenance excludes it: 2026-11-22T11:02 to 2026-11-22T10:04:00Z";

    let next = it.client.get(&format!("/job/{job}/nextRun?count=4")).await.expect(200);
    let of = |row: &Value| (row["skip_reason"].clone(), row["skip_detail"].clone());
    let (runs, removed) = ((Value::Null, Value::Null), (json!("CALENDAR"), json!(why)));
    let expected = [runs.clone(), removed.clone(), removed, runs];
    assert_eq!(next["results"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), expected);
    assert_eq!(next["explanation"], Value::Null);
    let (verdict, reason) = explained(&it, &job, "2026-11-22T10:02:00Z").await;
    assert!(verdict == "PENDING" && reason.ends_with(why), "{reason}");
    let forecast = it.client.get(&format!("/organization/{}/forecast?hours=1", it.organization)).await.expect(200);
    assert_eq!(forecast["planned_runs"], 58, "{forecast}");

    // Times that are caught up on, too.
    app.clock.set("2026-11-22T10:05:00Z");
    app.settle().await;
    let removed = |time: &str| (time.to_owned(), "CALENDAR".to_owned(), json!(why));
    assert_eq!(skipped(&it, &job).await, [removed("10:03"), removed("10:02")]);
    let (verdict, reason) = explained(&it, &job, "2026-11-22T10:02:00Z").await;
    assert!(verdict == "SKIPPED" && reason.ends_with(why), "{reason}");
    let due: Vec<String> =
        it.runs(&job).await.iter().map(|run| run["scheduled_for"].as_str().unwrap()[11..16].into()).collect();
    assert_eq!(due, ["10:05", "10:04", "10:01"]);
    let metrics = it.client.raw("/metrics").await;
    assert!(metrics.contains("windlass_times_skipped_total{reason=\"Calendar\"} 2"), "{metrics}");
    let causes = entity::alert_cause::Entity::find().all(&app.app.db).await.unwrap();
    assert!(causes.iter().all(|cause| cause.kind != entity::alert_cause::CauseKind::TimeSkipped), "{causes:?}");
}

/// The deployed configuration refers to calendars: what one contains counts from the moment at which it is stored.
#[tokio::test]
async fn a_changed_calendar_counts_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = calendar(&it, json!({"name": "holidays"})).await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.exclude_calendars": ["holidays"]})).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    it.client.put(&path, json!({"name": "holidays", "days": ["2026-11-22"]})).await.expect(200);
    app.clock.set("2026-11-22T10:02:00Z");
    app.settle().await;
    it.client.put(&path, json!({"name": "holidays"})).await.expect(200);
    app.clock.set("2026-11-22T10:03:00Z");
    app.settle().await;
    let why = json!("the calendar holidays excludes it: 2026-11-22");
    assert_eq!(skipped(&it, &job).await, [("10:02".to_owned(), "CALENDAR".to_owned(), why)]);
    assert_eq!(it.runs(&job).await.len(), 2);
    let stored = job_schedule::Entity::find().all(&app.app.db).await.unwrap();
    assert_eq!(stored[0].next_run_at.to_rfc3339(), "2026-11-22T10:04:00+00:00");
}

#[tokio::test]
async fn a_schedule_is_confined_to_calendars() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let sundays = json!([{"weekday": "SUNDAY", "from": "10:02", "to": "10:03"}]);
    calendar(&it, json!({"name": "window", "weekly": sundays})).await;
    let never = json!({"name": "never"});
    calendar(&it, never).await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.only_calendars": ["window"]})).await;
    for minute in 1..=3 {
        app.clock.set(&format!("2026-11-22T10:0{minute}:00Z"));
        app.settle().await;
        assert_eq!(it.runs(&job).await.len(), usize::from(minute >= 2), "{minute}");
        app.runner.exit_all(0);
        app.settle().await;
    }
    let times = skipped(&it, &job).await;
    assert!(times.iter().all(|(_, reason, detail)| reason == "CALENDAR" && detail.to_string().contains("window")));
    assert_eq!(times.len(), 2);
    // Calendars that leave nothing are explained.
    let path = format!("/job/{job}/advancedSettings");
    it.client.put(&path, json!({"cronjob.only_calendars": ["never"]})).await.expect(201);
    let next = it.client.get(&format!("/job/{job}/nextRun?draft=true")).await.expect(200);
    assert!(next["explanation"].as_str().unwrap().contains("calendars remove each of the next"), "{next}");
}

/// A long outage: the older times share a row.
#[tokio::test]
async fn a_long_outage_in_a_calendar_is_not_missed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    calendar(&it, json!({"name": "off", "days": ["2026-11-22"]})).await;
    let job = deployed(&app, &it, "* * * * *", json!({"cronjob.exclude_calendars": ["off"]})).await;
    app.clock.set("2026-11-22T14:00:00Z");
    app.settle().await;
    let rows = skipped(&it, &job).await;
    assert!(rows.len() == 101 && rows.iter().all(|(_, reason, _)| reason == "CALENDAR"), "{rows:?}");
    assert!(it.runs(&job).await.is_empty());
}

#[tokio::test]
async fn calendars_and_jobs_stay_together() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = calendar(&it, json!({"name": "holidays"})).await;
    let others = calendar(&it, json!({"name": "others"})).await;
    let calendars = format!("/organization/{}/calendar", it.organization);
    let detail = it.client.post(&calendars, json!({"name": "holidays"})).await.detail(409);
    assert!(detail.contains("already"), "{detail}");
    it.client.put(&others, json!({"name": "holidays"})).await.expect(409);
    let wrong = json!({"name": "x", "timezone": "Europe/Berlin", "days": ["tomorrow"], "weekly": [
        {"weekday": "SUNDAY", "from": "10:00", "to": "09:00"}]});
    let detail = it.client.post(&calendars, wrong).await.detail(400);
    assert!(detail.contains("days[0]: ") && detail.contains("weekly[0].to: "), "{detail}");
    let detail = it.client.post(&calendars, json!({"name": "x", "ics": "BEGIN:VCALENDAR"})).await.detail(400);
    assert!(detail.contains("ics"), "{detail}");

    let job = it.create(it.cron("nightly", "@daily")).await;
    let settings = format!("/job/{job}/advancedSettings");
    let unknown = json!({"cronjob.exclude_calendars": ["holidays", "hollidays"]});
    let detail = it.client.put(&settings, unknown).await.detail(400);
    assert_eq!(detail, "cronjob.exclude_calendars: hollidays is no calendar of the organization");
    // Another organization's calendar is none.
    let stranger = app.furnished_as("elsewhere").await;
    calendar(&stranger, json!({"name": "theirs"})).await;
    it.client.put(&settings, json!({"cronjob.only_calendars": ["theirs"]})).await.expect(400);
    it.client.put(&settings, json!({"cronjob.only_calendars": ["holidays"]})).await.expect(201);
    for (refused, word) in [
        (it.client.delete(&path).await, "deleted"),
        (it.client.put(&path, json!({"name": "renamed"})).await, "renamed"),
    ] {
        let detail = refused.detail(409);
        assert!(detail.contains(word) && detail.contains("nightly"), "{detail}");
    }
    it.client.put(&path, json!({"name": "holidays", "description": "of the year"})).await.expect(200);
    it.client.delete(&others).await.expect(204);
    // The deployed configuration counts as well.
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    it.client.put(&settings, json!({})).await.expect(201);
    it.client.delete(&path).await.expect(409);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    it.client.delete(&path).await.expect(204);
}
