//! Serves a WebSocket: polls its source, and sends new frames.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use poem::web::websocket::{BoxWebSocketUpgraded, Message, WebSocket, WebSocketStream};

use super::request::PROTOCOL;
use crate::app::App;
use crate::error::{Error, Result};

/// Time between polls.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// A client that accepts no data for this long is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A source of text frames, polled until the client disconnects.
pub(super) trait FrameSource: Send + Sync + 'static {
    fn next_frames(&mut self, app: &App) -> impl Future<Output = Result<Vec<String>>> + Send;
}

pub(super) fn upgrade(socket: WebSocket, app: Arc<App>, source: impl FrameSource) -> BoxWebSocketUpgraded {
    socket.protocols([PROTOCOL]).on_upgrade(Box::new(move |stream| Box::pin(serve(stream, app, source))))
}

async fn serve(stream: WebSocketStream, app: Arc<App>, mut source: impl FrameSource) {
    let (mut sink, mut incoming) = stream.split();
    loop {
        let frames = match source.next_frames(&app).await {
            Ok(frames) => frames,
            Err(Error::NotFound(_)) => break,
            Err(error) => {
                tracing::warn!(?error, "failed to read data for a WebSocket; will retry");
                Vec::new()
            }
        };
        for frame in frames {
            let sent = tokio::time::timeout(SEND_TIMEOUT, sink.send(Message::Text(frame))).await;
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
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
    // The client may already be gone.
    let _closed = sink.close().await;
}
