//! Serves a WebSocket: polls its source, and sends new frames, as long as the caller's credential is valid.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use poem::web::websocket::{BoxWebSocketUpgraded, CloseCode, Message, WebSocket, WebSocketConfig, WebSocketStream};

use super::request::PROTOCOL;
use crate::access::Caller;
use crate::access::read_guard::lost;
use crate::app::App;
use crate::error::Result;

/// Time between polls.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// The pause after a poll is at least this many times as long as the poll.
const REST: u32 = 3;

/// A client that accepts no data for this long is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest message of a client, in bytes: clients have nothing to say.
const LARGEST_MESSAGE: usize = 64 * 1024;

/// A source of text frames, polled until the client disconnects. It checks the rights of the caller each time.
pub(super) trait FrameSource: Send + Sync + 'static {
    fn next_frames(&mut self, app: &App, caller: &Caller) -> impl Future<Output = Result<Vec<String>>> + Send;
}

pub(super) fn upgrade(
    socket: WebSocket,
    app: Arc<App>,
    caller: Caller,
    source: impl FrameSource,
) -> BoxWebSocketUpgraded {
    let most = Some(LARGEST_MESSAGE);
    let config = WebSocketConfig::default().max_message_size(most).max_frame_size(most);
    socket
        .config(config)
        .protocols([PROTOCOL])
        .on_upgrade(Box::new(move |stream| Box::pin(serve(stream, app, caller, source))))
}

async fn serve(stream: WebSocketStream, app: Arc<App>, mut caller: Caller, mut source: impl FrameSource) {
    let (mut sink, mut incoming) = stream.split();
    let reason = loop {
        let began = Instant::now();
        let frames = match poll(&app, &mut caller, &mut source).await {
            Ok(frames) => frames,
            Err(error) => match lost(&error) {
                Some(reason) => break Some(reason),
                None => {
                    tracing::warn!(?error, "failed to read data for a WebSocket; will retry");
                    Vec::new()
                }
            },
        };
        let pause = POLL_INTERVAL.max(began.elapsed() * REST);
        for frame in frames {
            let sent = tokio::time::timeout(SEND_TIMEOUT, sink.send(Message::Text(frame))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
        tokio::select! {
            message = incoming.next() => {
                if !matches!(message, Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_)))) {
                    break None;
                }
            }
            () = tokio::time::sleep(pause) => {}
        }
    };
    // The client may already be gone.
    if let Some(reason) = reason {
        let close = Message::Close(Some((CloseCode::Policy, reason.to_owned())));
        let _sent = tokio::time::timeout(SEND_TIMEOUT, sink.send(close)).await;
    }
    let _closed = sink.close().await;
}

async fn poll(app: &App, caller: &mut Caller, source: &mut impl FrameSource) -> Result<Vec<String>> {
    *caller = app.authenticator.again(caller).await?;
    source.next_frames(app, caller).await
}
