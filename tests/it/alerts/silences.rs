//! Silences, and the quiet hours of receivers.

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::{Service, Watch};
use crate::harness::id;

async fn silence(watch: &Watch, seconds: i64, target: Value) -> String {
    let ends_at = watch.app.clock.now() + chrono::TimeDelta::seconds(seconds);
    let body = json!({"ends_at": ends_at, "comment": "the racks move", "target": target});
    let path = format!("/organization/{}/alert-silence", watch.it.organization);
    id(&watch.it.client.post(&path, body).await.expect(201))
}

#[tokio::test]
async fn what_still_holds_is_told_when_the_silence_ends() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let (short, long) = (watch.job("short").await, watch.job("long").await);
    silence(&watch, 600, json!({"type": "ENVIRONMENT", "id": watch.it.environment})).await;
    watch.run(&[&short, &long], 1).await;
    assert_eq!(watch.pass_after(10).await, 0);
    assert_eq!(watch.shown(&rule).await["state"], "SUPPRESSED");
    // A recovery of something that was never told is not told either, and another failure stays silent.
    watch.run(&[&short], 0).await;
    watch.run(&[&long], 1).await;
    assert_eq!(watch.pass_after(10).await + watch.pass_after(60).await, 0);
    assert_eq!(watch.pass_after(518).await, 0);
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH] failed: long\n"), "{texts:?}");
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    watch.run(&[&long], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED] failed: long"));
}

#[tokio::test]
async fn a_silence_that_is_deleted_or_extended_counts_at_once() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let (job, other) = (watch.job("job").await, watch.job("other").await);
    let of_rule = silence(&watch, 60, json!({"type": "RULE", "id": rule})).await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(10).await, 0);
    let ends_at = watch.app.clock.now() + chrono::TimeDelta::days(2);
    let body = json!({"ends_at": ends_at, "target": {"type": "JOB", "id": job}});
    let path = format!("/alert-silence/{of_rule}");
    let edited = watch.it.client.put(&path, body).await.expect(200);
    assert_eq!((&edited["target"]["type"], &edited["active"]), (&json!("JOB"), &json!(true)));
    assert_eq!(watch.pass_after(3600).await, 0);
    watch.run(&[&other], 1).await;
    assert_eq!(watch.pass_after(1).await, 1, "another job is not silenced");
    assert!(service.texts()[0].starts_with("[HIGH] failed: other\n"));
    watch.it.client.delete(&path).await.expect(204);
    assert_eq!(watch.pass_after(61).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] failed: job\n"));
    let listed = watch.it.client.get(&format!("/organization/{}/alert-silence", watch.it.organization)).await;
    assert_eq!(listed.expect(200)["results"], json!([]));
    let events = watch.it.client.get(&format!("/organization/{}/events", watch.it.organization)).await.expect(200);
    let newest = &events["events"][0];
    assert_eq!(
        (&newest["event_type"], &newest["target_kind"]),
        (&json!("DELETE"), &json!("ALERT_SILENCE")),
        "{newest}"
    );
}

#[tokio::test]
async fn a_wrong_silence_is_refused_as_a_whole() {
    let watch = Watch::new().await;
    let path = format!("/organization/{}/alert-silence", watch.it.organization);
    let later = watch.app.clock.now() + chrono::TimeDelta::hours(1);
    let everything = json!({"type": "ORGANIZATION"});
    for (body, part) in [
        (json!({"ends_at": "2001-01-01T00:00:00Z", "target": everything}), "ends_at: must be"),
        (json!({"ends_at": later, "begins_at": later, "target": everything}), "ends_at: must be after begins_at"),
        (json!({"ends_at": "2099-01-01T00:00:00Z", "target": everything}), "ends_at: must be at most 366 days"),
        (json!({"ends_at": later, "target": {"type": "JOB"}}), "target.id: is required"),
        (
            json!({"ends_at": later, "target": {"type": "RULE", "id": watch.it.environment}}),
            "target.id: is no alert rule",
        ),
        (json!({"ends_at": later, "target": {"type": "LABEL", "label_key": "a"}}), "target.label_value: is required"),
        (json!({"ends_at": later, "target": everything, "reason": "x"}), "reason"),
    ] {
        let detail = watch.it.client.post(&path, body.clone()).await.detail(400);
        assert!(detail.contains(part), "{body}: {detail}");
    }
    assert_eq!(watch.it.client.get(&path).await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn a_silence_holds_what_waits_already() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.receiver(json!({"webhook_url": format!("{url}/slack"), "quiet_hours": nights()})).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let (job, other) = (watch.job("job").await, watch.job("other").await);
    watch.app.clock.set("2026-12-02T05:30:00Z");
    watch.run(&[&job, &other], 1).await;
    watch.pass_after(60).await;
    // Somebody who looks into it at night does not want the others to be woken by it in the morning.
    silence(&watch, 6 * 3600, json!({"type": "JOB", "id": job})).await;
    watch.app.clock.set("2026-12-02T06:00:00Z");
    watch.pass().await;
    let texts = service.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("[HIGH] failed: other\n"), "{texts:?}");
    watch.run(&[&other], 0).await;
    watch.pass_after(2).await;
    watch.pass_after(2).await;
    assert!(service.texts()[0].starts_with("[RESOLVED] failed: other"));
    assert_eq!(watch.shown(&rule).await["state"], "SUPPRESSED");
    watch.app.clock.set("2026-12-02T12:00:00Z");
    watch.pass().await;
    watch.pass_after(2).await;
    let texts = service.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("[HIGH] failed: job\n"), "{texts:?}");
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
}

#[tokio::test]
async fn what_is_over_before_a_message_about_it_is_sent_is_not_told_after_a_silence() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let (first, second) = (watch.slack(&url).await, watch.slack(&url).await);
    watch.rule(&[&first, &second], json!({})).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    watch.pass().await;
    silence(&watch, 600, json!({"type": "JOB", "id": job})).await;
    watch.pass_after(2).await;
    watch.run(&[&job], 0).await;
    for _ in 0..4 {
        watch.pass_after(300).await;
    }
    assert!(service.take().is_empty());
}

#[tokio::test]
async fn a_silence_holds_what_is_tried_again() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    service.answers(StatusCode::BAD_GATEWAY);
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    service.take();
    service.answers(StatusCode::OK);
    silence(&watch, 600, json!({"type": "JOB", "id": job})).await;
    watch.pass_after(5).await;
    watch.pass_after(300).await;
    assert!(service.take().is_empty());
    watch.pass_after(300).await;
    watch.pass_after(60).await;
    assert!(service.texts()[0].starts_with("[HIGH] failed: job\n"));
}

pub(super) fn nights() -> Value {
    let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    json!({
        "time_zone": "Europe/Berlin", "spans": [{"weekdays": days, "from": "22:00", "to": "07:00"}],
        "except_severities": ["CRITICAL"],
    })
}

#[tokio::test]
async fn messages_wait_until_quiet_hours_are_over() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.receiver(json!({"webhook_url": format!("{url}/slack"), "quiet_hours": nights()})).await;
    let shown = watch.it.client.get(&format!("/alert-receivers/{slack}")).await.expect(200);
    assert_eq!(shown["quiet_hours"], nights());
    watch.rule(&[&slack], json!({})).await;
    let (job, other) = (watch.job("job").await, watch.job("other").await);
    // A message that failed before is no reason to wake anybody either.
    watch.app.clock.set("2026-12-01T20:59:50Z");
    service.answers(StatusCode::BAD_GATEWAY);
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    service.answers(StatusCode::OK);
    service.take();
    watch.app.clock.set("2026-12-01T21:30:00Z");
    watch.pass().await;
    watch.run(&[&other], 1).await;
    watch.pass_after(60).await;
    assert!(service.take().is_empty());
    // What is critical does not wait, not even for the older messages.
    let job_target = json!({"target_type": "JOB", "target_id": other});
    watch.rule(&[&slack], json!({"name": "now", "severity": "CRITICAL", "target": job_target})).await;
    watch.run(&[&other], 1).await;
    watch.pass_after(61).await;
    let texts = service.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("[CRITICAL] now: other\n"), "{texts:?}");
    watch.app.clock.set("2026-12-02T05:59:59Z");
    watch.pass().await;
    assert!(service.take().is_empty());
    watch.app.clock.set("2026-12-02T06:00:00Z");
    watch.pass().await;
    let texts = service.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].starts_with("[HIGH] failed: job\n") && texts[1].starts_with("[HIGH] failed: other\n"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn other_quiet_hours_count_at_once() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.receiver(json!({"webhook_url": format!("{url}/slack"), "quiet_hours": nights()})).await;
    watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    watch.app.clock.set("2026-12-01T23:00:00Z");
    watch.run(&[&job], 1).await;
    watch.pass_after(60).await;
    assert!(service.take().is_empty());
    let path = format!("/alert-receivers/{slack}");
    let mut edit = json!({"type": "SLACK", "name": "x", "description": "", "send_resolved": true});
    // A client that does not know them keeps them.
    let shown = watch.it.client.put(&path, edit.clone()).await.expect(200);
    assert_eq!(shown["quiet_hours"], nights());
    watch.pass_after(60).await;
    assert!(service.take().is_empty());
    for (key, value, part) in [
        ("time_zone", json!("Mars/Olympus"), "quiet_hours.time_zone: "),
        (
            "spans",
            json!([{"weekdays": ["MONDAY"], "from": "7:00", "to": "25:00"}]),
            "quiet_hours.spans.from: must be a time",
        ),
        ("spans", json!([{"weekdays": [], "from": "07:00", "to": "08:00"}]), "quiet_hours.spans.weekdays: must"),
    ] {
        edit["quiet_hours"] = nights();
        edit["quiet_hours"][key] = value;
        let detail = watch.it.client.put(&path, edit.clone()).await.detail(400);
        assert!(detail.contains(part), "{detail}");
    }
    edit["quiet_hours"] = json!({"time_zone": "Europe/Berlin", "spans": []});
    let shown = watch.it.client.put(&path, edit).await.expect(200);
    assert!(shown.get("quiet_hours").is_none(), "{shown}");
    watch.pass().await;
    assert_eq!(service.take().len(), 1);
}
