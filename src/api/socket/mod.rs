//! Web sockets, as the official console and command line open them: logs of a job, logs and state of a deployment, and
//! what runs now. They look at what is stored, as every other reader does, so that any server can answer them.

mod log;
mod state;

pub(super) use self::log::{deployment_logs, service_logs};
pub(super) use self::state::{deployment_status, service_status};

use std::sync::Arc;
use std::time::Duration;

use entity::environment;
use entity::id::EnvironmentId;
use futures_util::{SinkExt as _, StreamExt as _};
use poem::Request;
use poem::http::header;
use poem::web::websocket::{BoxWebSocketUpgraded, Message, WebSocket, WebSocketStream};
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::error::{Error, Result};

/// The sub-protocol of browsers, which cannot send headers; beside it they name one that holds the credential.
const PROTOCOL: &str = "v1";
const CREDENTIAL: &str = "auth.bearer.";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// A reader that takes nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who opens a socket: by the header, or by the sub-protocol.
async fn caller(app: &App, request: &Request) -> Result<Caller> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let named = text(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let credential = named.split(',').find_map(|word| word.trim().strip_prefix(CREDENTIAL));
    let from_protocol = credential.map(|credential| format!("Bearer {credential}"));
    let authorization = text(header::AUTHORIZATION).or(from_protocol.as_deref());
    app.authenticator.caller(authorization, text(header::USER_AGENT)).await
}

fn app(request: &Request) -> Result<Arc<App>> {
    request.data::<Arc<App>>().cloned().ok_or_else(|| Error::internal("the face has no App"))
}

/// An id that the address names; clients may leave those out that they do not need.
fn id(request: &Request, name: &str) -> Result<Option<Uuid>> {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    match value.map(|(_, value)| value).filter(|value| !value.is_empty() && *value != "null") {
        None => Ok(None),
        Some(value) => value.parse().map(Some).map_err(|_| Error::invalid(name, "is not a UUID")),
    }
}

/// A text that the address names.
fn text(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    Some(value.to_owned()).filter(|value| !value.is_empty() && value != "null")
}

async fn environment(app: &App, caller: &Caller, request: &Request) -> Result<environment::Model> {
    let id = id(request, "environment")?.ok_or_else(|| Error::invalid("environment", "is missing"))?;
    access::environment(&app.db, caller, Action::View, EnvironmentId(id)).await
}

/// What is sent, one frame for each text; asked again and again until the reader has gone.
trait Source: Send + Sync + 'static {
    fn look(&mut self, app: &App) -> impl Future<Output = Result<Vec<String>>> + Send;
}

fn upgrade(socket: WebSocket, app: Arc<App>, source: impl Source) -> BoxWebSocketUpgraded {
    socket.protocols([PROTOCOL]).on_upgrade(Box::new(move |stream| Box::pin(serve(stream, app, source))))
}

async fn serve(stream: WebSocketStream, app: Arc<App>, mut source: impl Source) {
    let (mut sink, mut incoming) = stream.split();
    loop {
        let frames = match source.look(&app).await {
            Ok(frames) => frames,
            Err(Error::NotFound(_)) => break,
            Err(error) => {
                tracing::warn!(?error, "a socket could not be served; it is tried again");
                Vec::new()
            }
        };
        for frame in frames {
            let sent = tokio::time::timeout(PATIENCE, sink.send(Message::Text(frame))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
        tokio::select! {
            message = incoming.next() => {
                if !matches!(message, Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_)))) {
                    break;
                }
            }
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    // Whoever has gone does not hear it.
    let _closed = sink.close().await;
}
