//! Pure: messages in the formats of receivers that are called with HTTP, within their limits.

use chrono::SecondsFormat;
use entity::alert_delivery::MessageKind;
use entity::alert_receiver::ReceiverKind;
use entity::alert_rule::Severity;
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};

use super::compose::{Line, Message, cut};
use super::sealed_address::Address;

/// Slack cuts texts of more than 40,000 characters. The longest escape has five.
const SLACK: usize = 8000;
/// Discord refuses contents of more than 2,000 characters.
const DISCORD: usize = 2000;
/// Teams refuses messages of more than 28 KB, with all escapes.
const TEAMS: usize = 12_000;
/// ntfy turns longer messages into attachments.
const NTFY: usize = 4096;
/// The events API refuses longer summaries.
const PAGERDUTY: usize = 1024;
/// Opsgenie cuts longer messages and descriptions.
const OPSGENIE: (usize, usize) = (130, 15_000);
/// The text of details, which has no limit of its own.
const DETAILS: usize = 32_768;

/// A request to a receiver.
pub(super) struct Call {
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// Whether it is signed with the secret (Standard Webhooks).
    pub(super) signed: bool,
    /// The place of the line that it is about, if it is about one only.
    pub(super) line: Option<usize>,
}

impl Call {
    fn json(url: &str, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".into())];
        Self { url: url.to_owned(), headers, body: body.to_string(), signed: false, line: None }
    }

    fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }
}

/// The requests that deliver a message.
pub(super) fn calls(kind: ReceiverKind, to: &Address, message: &Message) -> Vec<Call> {
    let url = to.url.as_str();
    let secret = to.secret.clone().unwrap_or_default();
    match kind {
        ReceiverKind::Email => Vec::new(),
        ReceiverKind::Slack => {
            // Slack would read these characters as markup.
            let text = message.text(SLACK).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            vec![Call::json(url, &json!({ "text": text }))]
        }
        ReceiverKind::Webhook => vec![Call { signed: true, ..Call::json(url, &standard(message)) }],
        ReceiverKind::Teams => vec![Call::json(url, &teams(message))],
        ReceiverKind::Discord => {
            let body = json!({ "content": message.text(DISCORD), "allowed_mentions": { "parse": [] } });
            vec![Call::json(url, &body)]
        }
        ReceiverKind::Ntfy => vec![ntfy(url, &secret, message)],
        ReceiverKind::Pagerduty => each(message, |line| Call::json(url, &pagerduty(&secret, message, line))),
        ReceiverKind::Opsgenie => each(message, |line| opsgenie(url, &secret, message, line)),
    }
}

/// A request for each line that was not accepted yet.
fn each(message: &Message, call: impl Fn(&Line) -> Call) -> Vec<Call> {
    let left = message.lines.iter().enumerate().filter(|(_, line)| !line.told);
    left.map(|(place, line)| Call { line: Some(place), ..call(line) }).collect()
}

fn standard(message: &Message) -> Value {
    let kind = match message.kind {
        MessageKind::Firing => "alert.firing",
        MessageKind::Resolved => "alert.resolved",
    };
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let alerts: Vec<Value> = message
        .lines
        .iter()
        .map(|line| json!({ "key": line.key, "text": line.text, "url": line.link, "since": time(line.since) }))
        .collect();
    let tails: Vec<Value> = message.tails.iter().map(|tail| json!({ "name": tail.of, "lines": tail.lines })).collect();
    json!({
        "type": kind,
        "timestamp": time(message.at),
        "data": {
            "title": message.title,
            "rule": message.rule,
            "condition": message.condition,
            "severity": message.severity.to_value(),
            "summary": message.summary,
            "runbook_url": message.runbook,
            "alerts": alerts,
            "more": message.more,
            "explanations": message.explanations,
            "logs": tails,
        }
    })
}

fn teams(message: &Message) -> Value {
    let text =
        |text: String, weight: &str| json!({ "type": "TextBlock", "text": text, "weight": weight, "wrap": true });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [text(cut(&message.title, 1000), "Bolder"), text(cut(&message.body(), TEAMS), "Default")],
            },
        }],
    })
}

fn ntfy(url: &str, token: &str, message: &Message) -> Call {
    let priority = match (message.kind, message.severity) {
        (MessageKind::Resolved, _) | (_, Severity::Low) => "2",
        (_, Severity::Medium) => "3",
        (_, Severity::High) => "4",
        (_, Severity::Critical) => "5",
    };
    let tag = if message.kind == MessageKind::Firing { "rotating_light" } else { "white_check_mark" };
    let headers = vec![("priority", priority.to_owned()), ("tags", tag.to_owned())];
    let call = Call { url: url.to_owned(), headers, body: message.text(NTFY), signed: false, line: None };
    if token.is_empty() { call } else { call.with("authorization", format!("Bearer {token}")) }
}

/// What an incident is known by. Nothing closes one about a recovery, so the next one must not be taken for it.
fn incident(message: &Message, line: &Line) -> String {
    let is_news = message.kind == MessageKind::Resolved && !message.closes();
    if is_news { format!("{}-{}", line.key, message.id) } else { line.key.clone() }
}

fn pagerduty(key: &str, message: &Message, line: &Line) -> Value {
    let action = if message.closes() { "resolve" } else { "trigger" };
    let severity = match (message.kind, message.severity) {
        (MessageKind::Resolved, _) | (_, Severity::Low) => "info",
        (_, Severity::Medium) => "warning",
        (_, Severity::High) => "error",
        (_, Severity::Critical) => "critical",
    };
    json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": incident(message, line),
        "client": "Windlass",
        "client_url": line.link,
        "payload": {
            "summary": cut(&line.text, PAGERDUTY),
            "source": "windlass",
            "severity": severity,
            "timestamp": line.since.to_rfc3339_opts(SecondsFormat::Millis, true),
            "class": message.condition,
            "custom_details": { "message": cut(&message.body(), DETAILS) },
        },
        "links": [{ "href": line.link, "text": "Open in Windlass" }],
    })
}

fn opsgenie(url: &str, key: &str, message: &Message, line: &Line) -> Call {
    let base = url.trim_end_matches('/');
    let call = if message.closes() {
        let path = format!("{base}/v2/alerts/{}/close?identifierType=alias", line.key);
        Call::json(&path, &json!({ "source": "windlass", "note": cut(&line.text, OPSGENIE.1) }))
    } else {
        let priority = match (message.kind, message.severity) {
            (MessageKind::Resolved, _) => "P5",
            (_, Severity::Low) => "P4",
            (_, Severity::Medium) => "P3",
            (_, Severity::High) => "P2",
            (_, Severity::Critical) => "P1",
        };
        let body = json!({
            "message": cut(&line.text, OPSGENIE.0),
            "alias": incident(message, line),
            "description": cut(&format!("{}\n\n{}", line.link, message.body()), OPSGENIE.1),
            "priority": priority,
            "source": "windlass",
        });
        Call::json(&format!("{base}/v2/alerts"), &body)
    };
    call.with("authorization", format!("GenieKey {key}"))
}

#[cfg(test)]
#[path = "formats_tests.rs"]
mod tests;
