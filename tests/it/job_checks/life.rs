//! The life of a check: pings become runs, and its key can be replaced.

use entity::member::Role;
use serde_json::{Value, json};

use super::{Elsewhere, path_of};
use crate::harness::id;

#[tokio::test]
async fn a_ping_is_a_run() {
    let of = Elsewhere::daily().await;
    of.at("2026-11-22T12:00:05Z").await;
    assert_eq!(of.ping("", "all is well\ntwo lines").await, 200);
    assert_eq!(of.runs().await, [["SUCCEEDED", "2026-11-22T12:00:00Z", ""]]);
    let run = of.it.runs(&of.check).await.remove(0);
    assert_eq!((&run["trigger"], &run["log_lines"]), (&json!("SCHEDULE"), &json!(2)));
    let log = of.log(&run).await;
    assert!(log.to_string().contains("two lines"), "{log}");
    // A second one is a run of its own, which belongs to no time.
    assert_eq!(of.ping("/7", "").await, 200);
    assert_eq!(of.runs().await[0], ["FAILED", "", "exit code 7"]);
    assert_eq!(of.it.runs(&of.check).await[0]["exit_code"], 7);
    assert_eq!(of.ping("/fail", "").await, 200);
    assert_eq!(of.runs().await[0], ["FAILED", "", "the ping reported a failure"]);
    let shown = of.shown().await;
    assert_eq!(shown["expected_for"], "2026-11-23T12:00:00.000000Z");
    assert_eq!(shown["last_ping_at"], "2026-11-22T12:00:05.000000Z");
    assert_eq!(of.verdict("2026-11-22T12:00:00Z").await.0, "RAN");
    assert_eq!(of.verdict("2026-11-23T12:00:00Z").await.0, "PENDING");
}

#[tokio::test]
async fn every_method_pings_and_bad_addresses_do_not() {
    let of = Elsewhere::daily().await;
    let nobody = of.it.client.with(None);
    for method in ["GET", "POST", "HEAD"] {
        let (status, headers, text) = nobody.whole(method, &of.path, None, &[]).await;
        assert_eq!(status, 200, "{method} {text}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    assert_eq!(of.runs().await.len(), 3);
    for (path, status) in [
        (format!("{}x", of.path), 404),
        ("/ping/unknown".into(), 404),
        (format!("/ping/{}", "x".repeat(5000)), 404),
        (format!("{}/stop", of.path), 400),
        (format!("{}/256", of.path), 400),
        (format!("{}/start?rid=7", of.path), 400),
    ] {
        assert_eq!(nobody.raw_call("GET", &path, None, &[]).await.0, status, "{path}");
    }
    assert_eq!(nobody.raw_call("DELETE", &of.path, None, &[]).await.0, 405);
    assert_eq!(of.runs().await.len(), 3);
}

#[tokio::test]
async fn a_started_run_is_ended_by_the_next_ping() {
    let of = Elsewhere::daily().await;
    of.at("2026-11-22T11:59:50Z").await;
    assert_eq!(of.ping("/start", "begins").await, 200);
    // A clock that is a little ahead counts for the coming time.
    assert_eq!(of.runs().await, [["RUNNING", "2026-11-22T12:00:00Z", ""]]);
    of.at("2026-11-22T12:05:00Z").await;
    assert_eq!(of.ping("/log", "goes on").await, 200);
    assert_eq!(of.ping("/0", "ends").await, 200);
    assert_eq!(of.runs().await, [["SUCCEEDED", "2026-11-22T12:00:00Z", ""]]);
    let run = of.it.runs(&of.check).await.remove(0);
    assert_eq!(
        (&run["started_at"], &run["finished_at"]),
        (&json!("2026-11-22T11:59:50.000000Z"), &json!("2026-11-22T12:05:00.000000Z"))
    );
    let log = of.log(&run).await;
    for text in ["begins", "goes on", "ends"] {
        assert!(log.contains(text), "{log}");
    }
    // What follows the end belongs to it, too.
    assert_eq!(of.ping("/log", "afterwards").await, 200);
    assert_eq!(of.it.runs(&of.check).await[0]["log_lines"], 4);
}

#[tokio::test]
async fn a_text_needs_a_run() {
    let of = Elsewhere::daily().await;
    assert_eq!(of.ping("/log", "nothing has happened").await, 409);
    assert!(of.runs().await.is_empty());
    assert_eq!(of.shown().await["last_ping_at"], Value::Null);
}

#[tokio::test]
async fn overlapping_runs_are_told_apart() {
    let of = Elsewhere::daily().await;
    let [one, two] = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|id| format!("?rid={id}"));
    for rid in [&one, &two, &one] {
        assert_eq!(of.ping(&format!("/start{rid}"), "").await, 200);
    }
    assert_eq!(of.runs().await.len(), 2, "a repeated start begins nothing");
    of.app.clock.forward(60);
    assert_eq!(of.ping(&format!("/3{one}"), "").await, 200);
    let states = async || of.runs().await.into_iter().map(|[state, ..]| state).collect::<Vec<_>>();
    assert_eq!(states().await, ["RUNNING", "FAILED"]);
    // Without a name, it is none of them.
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(states().await, ["SUCCEEDED", "RUNNING", "FAILED"]);
    assert_eq!(of.ping(&two, "").await, 200);
    assert_eq!(states().await, ["SUCCEEDED", "SUCCEEDED", "FAILED"]);
    // A name that was used can be used again.
    assert_eq!(of.ping(&format!("/start{two}"), "").await, 200);
    assert_eq!(states().await[0], "RUNNING");
}

#[tokio::test]
async fn a_run_that_does_not_end_fails() {
    let of =
        Elsewhere::with(json!({"period_seconds": 86_400, "grace_seconds": 600, "max_duration_seconds": 3600})).await;
    assert_eq!(of.ping("/start", "").await, 200);
    of.app.clock.forward(3599);
    of.app.tick().await;
    assert_eq!(of.runs().await[0][0], "RUNNING");
    of.app.clock.forward(1);
    of.app.tick().await;
    assert_eq!(of.runs().await, [["FAILED", "", "no end was reported within 3600 s of the start"]]);
    // It comes after all: nothing is lost.
    assert_eq!(of.ping("", "late").await, 200);
    assert_eq!(of.runs().await[0][0], "SUCCEEDED");
    assert!(of.skipped().await.is_empty());
}

#[tokio::test]
async fn no_server_touches_the_run_of_a_check() {
    let of = Elsewhere::with(json!({"period_seconds": 86_400, "max_duration_seconds": 86_400})).await;
    assert_eq!(of.ping("/start", "").await, 200);
    let other = of.app.restarted().await;
    for _ in 0..5 {
        of.app.clock.forward(3600);
        of.app.tick().await;
        other.tick().await;
    }
    assert_eq!(of.runs().await, [["RUNNING", "", ""]]);
    assert!(of.app.runner.steps().is_empty());
    let run = id(&of.it.runs(&of.check).await[0]);
    let client = &of.it.client;
    let detail = client.post(&format!("/run/{run}/rerun"), json!({})).await.detail(409);
    assert!(detail.contains("runs elsewhere"), "{detail}");
    client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    assert_eq!(of.runs().await[0][0], "CANCELLED");
    client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(409);
    // An environment is deleted although something is running elsewhere.
    assert_eq!(of.ping("/start", "").await, 200);
    client.delete(&format!("/environment/{}", of.it.environment)).await.expect(204);
    of.app.settle().await;
    client.get(&format!("/environment/{}", of.it.environment)).await.expect(404);
    assert_eq!(of.ping("", "").await, 404);
}

#[tokio::test]
async fn long_texts_are_cut_and_many_pings_refused() {
    let of = Elsewhere::daily().await;
    assert_eq!(of.ping("", &"x".repeat(300_000)).await, 200);
    let run = of.it.runs(&of.check).await.remove(0);
    assert_eq!(run["log_lines"], 2);
    let log = of.log(&run).await;
    assert!(log.len() < 110_000 && log.contains("is cut off"), "{}", log.len());
    let mut accepted = 1;
    for _ in 0..30 {
        match of.ping("", "").await {
            200 => accepted += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!((accepted, of.runs().await.len()), (10, 10));
    of.app.clock.forward(1);
    assert_eq!(of.ping("", "").await, 200);
}

#[tokio::test]
async fn a_new_key_replaces_the_old_one() {
    let of = Elsewhere::daily().await;
    let viewer = of.app.token(of.it.organization, Role::Viewer).await;
    let path = format!("/check/{}", of.check);
    assert_eq!(viewer.get(&path).await.expect(200).get("ping_url"), None);
    viewer.post(&format!("{path}/rotateKey"), json!({})).await.expect(403);
    let rotated = of.it.client.post(&format!("{path}/rotateKey"), json!({})).await.expect(200);
    let fresh = path_of(&rotated);
    assert_ne!(fresh, of.path);
    assert_eq!(of.shown().await["ping_url"], rotated["ping_url"]);
    assert_eq!(of.ping("", "").await, 404);
    assert_eq!(of.it.client.with(None).raw_call("GET", &fresh, None, &[]).await.0, 200);
    // The audit log names the change, not the key.
    let events = of.it.client.get(&format!("/organization/{}/events", of.it.organization)).await.expect(200);
    let events = events.to_string();
    assert!(events.contains(r#""target_kind":"CHECK""#) && events.contains("replaced"), "{events}");
    assert!(
        !events.contains(fresh.trim_start_matches("/ping/")) && !events.contains(of.path.trim_start_matches("/ping/"))
    );
    of.it.client.delete(&path).await.expect(204);
    of.it.client.get(&path).await.expect(404);
    assert_eq!(of.it.client.with(None).raw_call("GET", &fresh, None, &[]).await.0, 404);
}

#[tokio::test]
async fn a_definition_is_checked_and_can_be_changed() {
    let of = Elsewhere::daily().await;
    let (client, path) = (&of.it.client, format!("/environment/{}/check", of.it.environment));
    for (body, text) in [
        (json!({"name": "a"}), "schedule: is required"),
        (json!({"name": "a", "period_seconds": 59}), "period_seconds: must be between"),
        (json!({"name": "", "period_seconds": 60}), "name: must not be empty"),
        (json!({"name": "a", "schedule": {"scheduled_at": "nonsense"}}), "schedule.scheduled_at: "),
        (json!({"name": "a", "period_seconds": 60, "key": "x"}), "key: "),
    ] {
        let detail = client.post(&path, body).await.detail(400);
        assert!(detail.starts_with(text), "{detail}");
    }
    client.post(&path, json!({"name": " BACKUP ", "period_seconds": 60})).await.expect(409);
    let job = of.it.cron("backup", "@daily");
    client.post(&format!("/environment/{}/job", of.it.environment), job).await.expect(409);
    let changed = json!({"name": "offsite", "period_seconds": 3600, "grace_seconds": 60});
    let shown = client.put(&format!("/check/{}", of.check), changed).await.expect(200);
    assert_eq!((&shown["name"], &shown["period_seconds"]), (&json!("offsite"), &json!(3600)));
    assert_eq!(shown["expected_for"], "2026-11-22T11:00:30.000000Z");
    assert_eq!(shown.get("schedule"), None);
    assert_eq!(client.get(&path).await.expect(200)["results"], json!([shown]));
}

#[tokio::test]
async fn an_end_that_is_repeated_changes_nothing() {
    let of = Elsewhere::daily().await;
    let rid = format!("?rid={}", uuid::Uuid::new_v4());
    of.at("2026-11-22T12:00:00Z").await;
    assert_eq!(of.ping(&format!("/start{rid}"), "").await, 200);
    of.app.clock.forward(60);
    assert_eq!(of.ping(&format!("/3{rid}"), "broken").await, 200);
    let (runs, shown) = (of.runs().await, of.shown().await);
    assert_eq!(runs, [["FAILED", "2026-11-22T12:00:00Z", "exit code 3"]]);
    of.app.clock.forward(10);
    assert_eq!(of.ping(&format!("/3{rid}"), "broken").await, 200);
    assert_eq!((of.runs().await, of.shown().await), (runs, shown));
    let run = of.it.runs(&of.check).await.remove(0);
    assert_eq!(run["log_lines"], 1, "{run}");
    // The same without a start.
    let alone = format!("?rid={}", uuid::Uuid::new_v4());
    assert_eq!((of.ping(&alone, "").await, of.ping(&alone, "").await), (200, 200));
    assert_eq!(of.runs().await.len(), 2);
    // After a start, or a long time, it is the end of another run.
    assert_eq!(of.ping(&format!("/start{rid}"), "").await, 200);
    assert_eq!(of.ping(&rid, "").await, 200);
    assert_eq!(of.runs().await[0][0], "SUCCEEDED");
    assert_eq!(of.runs().await.len(), 3);
    of.app.clock.forward(3600);
    assert_eq!(of.ping(&rid, "").await, 200);
    assert_eq!(of.runs().await.len(), 4);
    // An end after the time limit was not reported before.
    assert_eq!(of.ping(&format!("/start{rid}"), "").await, 200);
    of.app.clock.forward(600);
    of.app.tick().await;
    assert_eq!(of.runs().await[0][0], "FAILED");
    assert_eq!(of.ping(&rid, "").await, 200);
    assert_eq!(of.runs().await[0][0], "SUCCEEDED");
    assert_eq!(of.runs().await.len(), 6);
}
