//! What a client says when it opens a web socket.

use std::sync::Arc;

use entity::environment;
use entity::id::EnvironmentId;
use poem::Request;
use poem::http::header;
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::error::{Error, Result};

/// The sub-protocol of browsers, which cannot send headers; beside it they name one that holds the credential.
pub(super) const PROTOCOL: &str = "v1";

const CREDENTIAL: &str = "auth.bearer.";

/// Who opens a socket: by the header, or by the sub-protocol.
pub(super) async fn caller(app: &App, request: &Request) -> Result<Caller> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let named = text(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let credential = named.split(',').find_map(|word| word.trim().strip_prefix(CREDENTIAL));
    let from_protocol = credential.map(|credential| format!("Bearer {credential}"));
    let authorization = text(header::AUTHORIZATION).or(from_protocol.as_deref());
    app.authenticator.caller(authorization, text(header::USER_AGENT)).await
}

pub(super) fn app(request: &Request) -> Result<Arc<App>> {
    request.data::<Arc<App>>().cloned().ok_or_else(|| Error::internal("the face has no App"))
}

/// An id that the address names; clients may leave those out that they do not need.
pub(super) fn id(request: &Request, name: &str) -> Result<Option<Uuid>> {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    match value.map(|(_, value)| value).filter(|value| !value.is_empty() && *value != "null") {
        None => Ok(None),
        Some(value) => value.parse().map(Some).map_err(|_| Error::invalid(name, "is not a UUID")),
    }
}

/// A text that the address names.
pub(super) fn text(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    Some(value.to_owned()).filter(|value| !value.is_empty() && value != "null")
}

pub(super) async fn requested_environment(app: &App, caller: &Caller, request: &Request) -> Result<environment::Model> {
    let id = id(request, "environment")?.ok_or_else(|| Error::invalid("environment", "is missing"))?;
    access::environment(&app.db, caller, Action::View, EnvironmentId(id)).await
}
