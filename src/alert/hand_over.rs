//! Hands a message over to its receiver.

use entity::alert_receiver::{Model as Receiver, ReceiverKind};
use reqwest::Client;

use super::compose::Message;
use super::formats::{Call, calls};
use super::refused::Refused;
use super::sealed_address::Address;
use super::smtp;
use crate::app::App;
use crate::outbound;

/// Sends a message. Success means that the receiver has confirmed it.
pub(super) async fn hand_over(
    app: &App,
    client: &Client,
    (receiver, address): (&Receiver, &Address),
    message: &Message,
) -> Result<(), Refused> {
    if receiver.kind == ReceiverKind::Email {
        let Some(mail) = &receiver.mail else {
            return Err(Refused::Always("the receiver has no mail settings".into()));
        };
        return smtp::send(mail, address, message, app.config.webhook_private_addresses).await;
    }
    let mut all = Ok(());
    for call in calls(receiver.kind, address, message) {
        match one(app, client, address, call, message).await {
            Ok(()) => {}
            Err(Refused::Now(reason)) => return Err(Refused::Now(reason)),
            // The others are about something else.
            Err(Refused::Always(reason)) => all = Err(Refused::Always(reason)),
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
