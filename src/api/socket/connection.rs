//! Serves a web socket: polls its source, and sends what is new.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use poem::web::websocket::{BoxWebSocketUpgraded, Message, WebSocket, WebSocketStream};

use super::request::PROTOCOL;
use crate::app::App;
use crate::error::{Error, Result};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// A reader that takes nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is sent, one frame for each text; asked again and again until the reader has gone.
pub(super) trait Source: Send + Sync + 'static {
    fn look(&mut self, app: &App) -> impl Future<Output = Result<Vec<String>>> + Send;
}

pub(super) fn upgrade(socket: WebSocket, app: Arc<App>, source: impl Source) -> BoxWebSocketUpgraded {
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
