//! Hands a message over to its receiver.

use std::time::Duration;

use entity::alert_receiver::{Model as Receiver, ReceiverKind};
use reqwest::Client;

use super::compose::Message;
use super::formats::{Call, calls};
use super::refused::Refused;
use super::sealed_address::Address;
use super::smtp;
use crate::app::App;
use crate::outbound;

/// What a receiver answered.
pub(super) struct Answer {
    /// Success means that it has confirmed all of the message.
    pub(super) whole: Result<(), Refused>,
    /// The places of the lines that it has confirmed by themselves.
    pub(super) told: Vec<usize>,
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self { whole: Err(refused), told: Vec::new() }
    }
}

/// Sends what the receiver has not confirmed yet of a message, within a time.
pub(super) async fn hand_over(
    app: &App,
    client: &Client,
    (receiver, address): (&Receiver, &Address),
    message: &Message,
    patience: Duration,
) -> Answer {
    let mut told = Vec::new();
    if receiver.kind == ReceiverKind::Email {
        let private = app.config.webhook_private_addresses;
        let whole = match &receiver.mail {
            Some(mail) => smtp::send(mail, address, message, (private, patience)).await,
            None => Err(Refused::Always("the receiver has no mail settings".into())),
        };
        return Answer { whole, told };
    }
    let sent = each(app, client, (receiver.kind, address), message, &mut told);
    let whole = tokio::time::timeout(patience, sent)
        .await
        .unwrap_or_else(|_| Err(Refused::Now("the receiver took too long".into())));
    Answer { whole, told }
}

/// Makes the requests that deliver a message, and notes the lines that were accepted: the others are tried again without them.
async fn each(
    app: &App,
    client: &Client,
    (kind, address): (ReceiverKind, &Address),
    message: &Message,
    told: &mut Vec<usize>,
) -> Result<(), Refused> {
    let mut all = Ok(());
    for call in calls(kind, address, message) {
        let line = call.line;
        match one(app, client, address, call, message).await {
            Ok(()) => told.extend(line),
            // The others are about something else.
            Err(Refused::Always(reason)) => all = Err(Refused::Always(reason)),
            Err(refused) => return Err(refused),
        }
    }
    all
}

async fn one(app: &App, client: &Client, address: &Address, call: Call, message: &Message) -> Result<(), Refused> {
    let private = app.config.webhook_private_addresses;
    outbound::check_literal(&call.url, private).map_err(|reason| Refused::Always(format!("the address {reason}")))?;
    let mut request = client.post(&call.url);
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    if call.signed {
        let (id, at) = (message.id.to_string(), app.clock.now().timestamp());
        request = request.header("webhook-id", &id).header("webhook-timestamp", at.to_string());
        if let Some(secret) = &address.secret {
            let key = outbound::sign::key(secret).map_err(Refused::Always)?;
            request = request.header("webhook-signature", outbound::sign::signature(key.expose(), &id, at, &call.body));
        }
    }
    match outbound::call(request.body(call.body)).await {
        Ok((200..300, _)) => Ok(()),
        Ok((status, text)) => {
            let reason = format!("the receiver answered {status}: {}", text.trim());
            let passes = matches!(status, 408 | 425 | 429 | 500..);
            Err(if passes { Refused::Now(reason) } else { Refused::Always(reason) })
        }
        Err(reason) => Err(Refused::Now(reason)),
    }
}
