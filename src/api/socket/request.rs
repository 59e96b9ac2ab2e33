//! Reads the caller and the parameters from the request that opens a WebSocket.

use std::sync::Arc;

use entity::environment;
use entity::id::EnvironmentId;
use poem::Request;
use poem::http::header;
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::error::{Error, Result};
use crate::input::stored_text;

/// The subprotocol that browsers request. They cannot send headers, so a second subprotocol carries the credential.
pub(super) const PROTOCOL: &str = "v1";

const CREDENTIAL: &str = "auth.bearer.";

/// Authenticates the client, by header or by subprotocol.
pub(super) async fn caller(app: &App, request: &Request) -> Result<Caller> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let named = text(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let credential = named.split(',').find_map(|word| word.trim().strip_prefix(CREDENTIAL));
    let from_protocol = credential.map(|credential| format!("Bearer {credential}"));
    let authorization = text(header::AUTHORIZATION).or(from_protocol.as_deref());
    let caller = app.authenticator.caller(authorization, text(header::USER_AGENT)).await?;
    stored_text::check_address(request.uri().path(), request.uri().query())?;
    Ok(caller)
}

pub(super) fn app(request: &Request) -> Result<Arc<App>> {
    request.data::<Arc<App>>().cloned().ok_or_else(|| Error::internal("no App is attached to the request"))
}

/// An id from the query string. Clients may leave out ids that they do not need, or send `null`.
pub(super) fn id(request: &Request, name: &str) -> Result<Option<Uuid>> {
    let parse = |value: String| value.parse().map_err(|_| Error::invalid(name, "must be a UUID"));
    text(request, name).map(parse).transpose()
}

/// A value from the query string.
pub(super) fn text(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    Some(value.to_owned()).filter(|value| !value.is_empty() && value != "null")
}

pub(super) async fn requested_environment(app: &App, caller: &Caller, request: &Request) -> Result<environment::Model> {
    let id = id(request, "environment")?.ok_or_else(|| Error::invalid("environment", "is missing"))?;
    access::environment(&app.db, caller, Action::View, EnvironmentId(id)).await
}
