//! Pings that do not come: recorded once, by one server, and told.

use serde_json::json;
use windlass::alert::{self, Memory};

use super::{Elsewhere, time};
use crate::harness::{TestApp, id};
use crate::world::alert_rule;

const MISSED: (&str, &str) = ("2026-11-22T12:00:00Z", "NO_PING");

fn missed() -> Vec<(String, String)> {
    vec![(MISSED.0.to_owned(), MISSED.1.to_owned())]
}

#[tokio::test]
async fn a_missing_ping_is_recorded_once() {
    let of = Elsewhere::daily().await;
    of.at("2026-11-22T12:09:59Z").await;
    assert!(of.skipped().await.is_empty());
    assert_eq!(of.verdict(MISSED.0).await.0, "PENDING");
    // Two servers look at the same time, and one that has just started.
    of.app.clock.set("2026-11-22T12:10:00Z");
    let other = of.app.restarted().await;
    tokio::join!(of.app.tick(), other.tick());
    of.app.restarted().await.tick().await;
    assert_eq!(of.skipped().await, missed());
    let (verdict, reason) = of.verdict(MISSED.0).await;
    assert_eq!(verdict, "SKIPPED");
    assert!(reason.contains("no ping arrived within the grace"), "{reason}");
    assert_eq!(of.shown().await["expected_for"], "2026-11-23T12:00:00.000000Z");
    // A late ping is accepted, and belongs to no time.
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(of.runs().await, [["SUCCEEDED", "", ""]]);
    assert_eq!(of.skipped().await, missed());
    of.at("2026-11-23T12:00:01Z").await;
    assert_eq!(of.ping("", "").await, 200);
    of.at("2026-11-23T13:00:00Z").await;
    assert_eq!(of.skipped().await, missed());
}

#[tokio::test]
async fn a_ping_after_the_grace_does_not_hide_that_it_was_late() {
    let of = Elsewhere::daily().await;
    // No server has looked since the grace was over.
    of.app.clock.set("2026-11-22T12:10:00Z");
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(of.skipped().await, missed());
    assert_eq!(of.runs().await, [["SUCCEEDED", "", ""]]);
    of.app.tick().await;
    assert_eq!(of.skipped().await, missed());
}

#[tokio::test]
async fn all_that_was_missed_during_an_outage_is_recorded() {
    let of = Elsewhere::with(json!({"period_seconds": 3600, "grace_seconds": 60})).await;
    of.app.clock.forward(5 * 3600);
    of.app.restarted().await.tick().await;
    assert_eq!(of.skipped().await.len(), 4);
    assert_eq!(time(&of.shown().await["expected_for"]), of.app.clock.now());
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(of.runs().await[0][1], "2026-11-22T15:00:30Z");
    assert_eq!(of.shown().await["expected_for"], "2026-11-22T16:00:30.000000Z");
}

#[tokio::test]
async fn a_paused_check_expects_nothing() {
    let of = Elsewhere::daily().await;
    let client = &of.it.client;
    client.post(&format!("/job/{}/pause", of.check), json!({})).await.expect(200);
    of.at("2026-11-22T13:00:00Z").await;
    assert_eq!(of.skipped().await, [("2026-11-22T12:00:00Z".to_owned(), "PAUSED".to_owned())]);
    // It ends within the grace of a time that it covered.
    of.at("2026-11-23T12:05:00Z").await;
    client.post(&format!("/job/{}/resume", of.check), json!({})).await.expect(200);
    of.at("2026-11-23T13:00:00Z").await;
    assert!(of.skipped().await.iter().all(|(_, reason)| reason == "PAUSED"));
    assert_eq!(of.skipped().await.len(), 2);
    client.post(&format!("/job/{}/skip", of.check), json!({"at": "2026-11-24T12:00:00Z"})).await.expect(200);
    of.at("2026-11-25T13:00:00Z").await;
    let reasons: Vec<String> = of.skipped().await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["NO_PING", "REQUESTED", "PAUSED", "PAUSED"]);
    let detail =
        client.post(&format!("/job/{}/skip", of.check), json!({"at": "2026-11-26T12:30:00Z"})).await.detail(400);
    assert!(detail.starts_with("at: is not a time of the schedule"), "{detail}");
}

#[tokio::test]
async fn rules_tell_of_checks() {
    let of =
        Elsewhere::on(TestApp::with_private_webhooks().await, json!({"period_seconds": 3600, "grace_seconds": 60}))
            .await;
    let clusters = of.it.client.get(&format!("/organization/{}/cluster", of.it.organization)).await.expect(200);
    let mut rules = Vec::new();
    for (name, threshold) in [("run_failed", json!(1)), ("run_missed", json!(null)), ("no_success_for", json!(7200))] {
        let target = ("ENVIRONMENT", of.it.environment.as_str());
        let mut body = alert_rule(of.it.organization, &id(&clusters["results"][0]), target);
        body["condition"]["promql"] = json!(name);
        body["name"] = json!(name);
        if !threshold.is_null() {
            body["condition"]["threshold"] = threshold;
        }
        rules.push(id(&of.it.client.post("/alert-rules", body).await.expect(201)));
    }
    let mut memory = Memory::default();
    let mut states = async || {
        let mut found = Vec::new();
        for _ in 0..2 {
            alert::decide(&of.app.app, &mut memory, of.app.clock.now()).await.unwrap();
            of.app.clock.forward(1);
        }
        for rule in &rules {
            let shown = of.it.client.get(&format!("/alert-rules/{rule}")).await.expect(200);
            found.push(shown["state"].as_str().unwrap().to_owned());
        }
        found
    };
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(states().await, ["OK", "OK", "OK"]);
    assert_eq!(of.ping("/1", "").await, 200);
    assert_eq!(states().await, ["UNROUTED", "OK", "OK"]);
    of.app.clock.forward(3660);
    of.app.tick().await;
    assert_eq!(states().await, ["UNROUTED", "UNROUTED", "OK"]);
    of.app.clock.forward(3600);
    assert_eq!(states().await[2], "UNROUTED");
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(states().await, ["OK", "OK", "OK"], "a success is over with all of them, whatever time it belongs to");
}

/// The pings of a period belong to no time, except for one that comes at its very end.
#[tokio::test]
async fn a_success_ends_what_was_told_about_a_missing_ping() {
    let of =
        Elsewhere::on(TestApp::with_private_webhooks().await, json!({"period_seconds": 60, "grace_seconds": 1})).await;
    let client = &of.it.client;
    let body = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com/x",
        "events": ["TIME_MISSED", "SCHEDULE_RECOVERED"]});
    let hook = client.post(&format!("/organization/{}/webhook", of.it.organization), body).await.expect(201);
    let told = async || {
        let path = format!("/organization/{}/webhook/{}/delivery", of.it.organization, id(&hook));
        let list = client.get(&path).await.expect(200);
        let rows = list["results"].as_array().unwrap().iter();
        rows.map(|row| row["event"].as_str().unwrap().to_owned()).rev().collect::<Vec<_>>()
    };
    of.app.clock.forward(62);
    of.app.tick().await;
    assert_eq!(told().await, ["TIME_MISSED"]);
    of.app.clock.forward(8);
    assert_eq!(of.ping("/1", "").await, 200);
    assert_eq!(told().await, ["TIME_MISSED"], "a failure is no recovery");
    for _ in 0..3 {
        of.app.clock.forward(20);
        of.app.tick().await;
        assert_eq!(of.ping("", "").await, 200);
    }
    assert!(of.runs().await.iter().all(|[_, scheduled_for, _]| scheduled_for.is_empty()));
    assert_eq!(told().await, ["TIME_MISSED", "SCHEDULE_RECOVERED"], "once");
}
