//! Builds, signs and sends one webhook request.

use entity::webhook_delivery::Model;
use entity::{webhook, webhook::WebhookKind};
use reqwest::Client;

use super::destination::{AddressNotAllowed, PATIENCE, check_literal};
use super::sign;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::stored_binding::of_webhook;
use crate::secret::{self, Destination, permits};

/// The stored length of a response, in bytes.
const ANSWER: usize = 2048;

/// Builds the request. Standard Webhooks puts the id, the time and the signature in headers.
pub(super) fn request(
    app: &App,
    client: &Client,
    hook: &webhook::Model,
    row: &Model,
) -> Result<Result<reqwest::RequestBuilder, String>> {
    if let Err(reason) = check_literal(&row.target_url, app.config.webhook_private_addresses) {
        return Ok(Err(reason));
    }
    let body = row.payload.to_string();
    let mut request = client.post(&row.target_url).header("content-type", "application/json");
    if row.kind == WebhookKind::Standard {
        let (id, at) = (row.id.to_string(), app.clock.now().timestamp());
        request = request.header("webhook-id", &id).header("webhook-timestamp", at.to_string());
        if let Some(sealed) = &hook.secret {
            // The delivery may be older than the target and its secret.
            let to = Destination::new(hook.organization_id, &row.target_url);
            if permits(&of_webhook(hook), &to).is_err() {
                return Ok(Err("the webhook has another target now, whose secret does not sign for this one".into()));
            }
            let text = app.keys.open_text(&secret::place("webhook", hook.id.0), sealed)?;
            let key = sign::key(text.expose()).map_err(Error::internal)?;
            request = request.header("webhook-signature", sign::signature(key.expose(), &id, at, &body));
        }
    }
    Ok(Ok(request.body(body)))
}

/// Sends a request and returns the status and the beginning of the response body.
///
/// # Errors
/// Why there was no response.
pub async fn call(request: reqwest::RequestBuilder) -> Result<(u16, String), String> {
    let (status, text) = exchange(request, ANSWER).await?;
    Ok((status, String::from_utf8_lossy(&text).replace('\0', "\u{fffd}")))
}

/// Sends a request and returns the status and up to `most` bytes of the response body.
///
/// # Errors
/// Why there was no response.
pub async fn exchange(request: reqwest::RequestBuilder, most: usize) -> Result<(u16, Vec<u8>), String> {
    let work = async {
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status().as_u16();
        let mut text = Vec::new();
        while text.len() < most {
            match response.chunk().await {
                Ok(Some(piece)) => text.extend_from_slice(&piece),
                Ok(None) | Err(_) => break,
            }
        }
        text.truncate(most);
        Ok((status, text))
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("the request timed out".into()))
}

/// Why there was no response, without its address.
pub(super) fn reason(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<AddressNotAllowed>() {
            return AddressNotAllowed.to_string();
        }
        source = inner.source();
    }
    if error.is_connect() { "the connection failed".into() } else { "the request failed".into() }
}
