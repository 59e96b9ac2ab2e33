//! Each format stays within the limits of its receiver, and cannot be changed by the texts that it contains.

use chrono::DateTime;
use entity::alert_delivery::MessageKind;
use entity::alert_receiver::ReceiverKind;
use entity::alert_rule::Severity;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls;
use crate::alert::compose::{Line, Message, Tail};
use crate::alert::sealed_address::Address;

fn message(text: &str) -> Message {
    let line = |key: &str| Line {
        key: key.into(),
        text: text.into(),
        link: "https://windlass.example/console/run/1".into(),
        since: DateTime::UNIX_EPOCH,
        told: false,
    };
    Message {
        id: Uuid::nil(),
        at: DateTime::UNIX_EPOCH,
        kind: MessageKind::Firing,
        severity: Severity::Critical,
        rule: "rule".into(),
        condition: "run_failed".into(),
        title: text.into(),
        lines: vec![line("a"), line("b")],
        more: 7,
        summary: None,
        runbook: None,
        explanations: Vec::new(),
        tails: vec![Tail { of: "job".into(), lines: vec![text.into()] }],
    }
}

fn address() -> Address {
    Address { url: "https://receiver.example/x".into(), secret: Some("key".into()) }
}

fn body(kind: ReceiverKind, message: &Message) -> Value {
    serde_json::from_str(&calls(kind, &address(), message)[0].body).unwrap()
}

#[test]
fn texts_stay_within_the_limits() {
    for character in ["x", "😀", "&", "\"", "\u{1}"] {
        let long = message(&character.repeat(50_000));
        let discord = body(ReceiverKind::Discord, &long)["content"].as_str().unwrap().chars().count();
        assert!(discord <= 2000, "{discord}");
        let slack = body(ReceiverKind::Slack, &long)["text"].as_str().unwrap().chars().count();
        assert!(slack <= 40_000, "{slack}");
        assert!(calls(ReceiverKind::Ntfy, &address(), &long)[0].body.len() <= 4096);
        let page = body(ReceiverKind::Pagerduty, &long);
        assert!(page["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
        assert!(page.to_string().len() < 512_000);
        let opsgenie = body(ReceiverKind::Opsgenie, &long);
        assert!(opsgenie["message"].as_str().unwrap().chars().count() <= 130);
        assert!(opsgenie["description"].as_str().unwrap().chars().count() <= 15_000);
    }
    let wide = message(&"😀".repeat(50_000));
    assert!(calls(ReceiverKind::Teams, &address(), &wide)[0].body.len() <= 28_000);
}

#[test]
fn nasty_texts_stay_texts() {
    let nasty = message("<!channel> @everyone \"}, {\"x\": </script>\r\nBcc: a@example.com");
    let slack = body(ReceiverKind::Slack, &nasty)["text"].as_str().unwrap().to_owned();
    assert!(slack.contains("&lt;!channel&gt;") && !slack.contains('<'), "{slack}");
    assert_eq!(body(ReceiverKind::Discord, &nasty)["allowed_mentions"], json!({"parse": []}));
    for call in calls(ReceiverKind::Ntfy, &address(), &nasty) {
        assert!(call.headers.iter().all(|(_, value)| !value.contains('\n')), "{:?}", call.headers);
    }
}

#[test]
fn incidents_are_opened_and_closed_by_the_same_key() {
    let firing = message("failed");
    let resolved = Message { kind: MessageKind::Resolved, ..firing.clone() };
    let action = |message: &Message| {
        let calls = calls(ReceiverKind::Pagerduty, &address(), message);
        let read = |body: &str| serde_json::from_str::<Value>(body).unwrap();
        calls
            .iter()
            .map(|call| (read(&call.body)["event_action"].clone(), read(&call.body)["dedup_key"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(action(&firing), [(json!("trigger"), json!("a")), (json!("trigger"), json!("b"))]);
    assert_eq!(action(&resolved), [(json!("resolve"), json!("a")), (json!("resolve"), json!("b"))]);
    let opened = calls(ReceiverKind::Opsgenie, &address(), &firing);
    assert_eq!(opened[0].url, "https://receiver.example/x/v2/alerts");
    assert!(opened[0].headers.contains(&("authorization", "GenieKey key".into())));
    let closed = calls(ReceiverKind::Opsgenie, &address(), &resolved);
    assert_eq!(closed[1].url, "https://receiver.example/x/v2/alerts/b/close?identifierType=alias");
}
