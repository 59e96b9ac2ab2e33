//! Sends a test message.

use std::time::Duration;

use entity::alert_delivery::MessageKind;
use entity::alert_receiver::Model as Receiver;
use entity::alert_rule::Severity;
use uuid::Uuid;

use super::compose::{Line, Message};
use super::hand_over::hand_over;
use super::sealed_address::Address;
use crate::app::App;
use crate::error::{Error, Result};
use crate::outbound;

/// How long somebody waits for the answer to a test message.
const PATIENCE: Duration = Duration::from_secs(40);

/// Sends a test message to a receiver, and waits for its answer. An incident that it opens is closed again.
///
/// # Errors
/// `Invalid` with the reason if the receiver does not accept it.
pub async fn try_out(app: &App, receiver: &Receiver, address: &Address, text: Option<String>) -> Result<()> {
    let client = outbound::client(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let now = app.clock.now();
    let id = Uuid::now_v7();
    let text = text.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "This is a test message.".into());
    let message = Message {
        id,
        at: now,
        kind: MessageKind::Firing,
        severity: Severity::Low,
        rule: "test".into(),
        condition: "test".into(),
        title: format!("[TEST] {}", receiver.name),
        lines: vec![Line { key: format!("test-{id}"), text, link: app.public_url(), since: now, told: false }],
        more: 0,
        summary: None,
        runbook: None,
        explanations: Vec::new(),
        tails: Vec::new(),
    };
    let opens = receiver.kind.keeps_incidents();
    let mut messages = vec![message];
    if opens {
        messages.extend(messages.first().cloned().map(|message| Message { kind: MessageKind::Resolved, ..message }));
    }
    for message in &messages {
        let answer = hand_over(app, &client, (receiver, address), message, PATIENCE).await;
        answer.whole.map_err(|refused| {
            Error::invalid("alert_receiver", format!("the test message was not accepted: {}", refused.reason()))
        })?;
    }
    Ok(())
}
