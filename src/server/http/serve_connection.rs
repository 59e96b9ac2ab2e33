//! Serves the requests of one connection, in HTTP/1.1.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::body_pace::paced;
use super::timed_io::TimedIo;
use super::waiting::Waiting;

/// The largest headers of a request, in bytes: a JWT in one and a filter in another have room.
const HEADERS_BYTES: usize = 64 * 1024;

/// Both ends of a connection.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) scheme: Scheme,
}

/// Serves a connection until it ends. After `closing`, the request that is open is the last one.
pub(super) async fn serve_connection<T, E>(
    io: TimedIo<T>,
    ends: Ends,
    waiting: Arc<Waiting>,
    endpoint: Arc<E>,
    closing: CancellationToken,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (ends, waiting, endpoint) = (ends.clone(), Arc::clone(&waiting), Arc::clone(&endpoint));
        async move { Ok::<_, Infallible>(answer(request, ends, waiting, &*endpoint).await) }
    });
    let mut builder = http1::Builder::new();
    // The stream has the time limits. This one is reached later; with it, a connection that becomes idle is read from at once.
    let latest = waiting.limits.idle + waiting.limits.headers;
    builder.timer(TokioTimer::new()).header_read_timeout(latest).max_header_size(HEADERS_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = closing.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, remote = %ends.remote, "a connection ended early");
    }
}

async fn answer<E: Endpoint<Output = Response>>(
    request: hyper::Request<Incoming>,
    ends: Ends,
    waiting: Arc<Waiting>,
    endpoint: &E,
) -> hyper::Response<Answer<impl Body<Data = hyper::body::Bytes, Error = std::io::Error> + Send + Unpin + use<E>>> {
    waiting.began();
    let has_body = !request.body().is_end_stream();
    let addresses = (LocalAddr(Addr::SocketAddr(ends.local)), RemoteAddr(Addr::SocketAddr(ends.remote)));
    let mut request = Request::from((request, addresses.0, addresses.1, ends.scheme));
    let mut too_slow = None;
    if has_body {
        let (body, slow) = paced(request.take_body(), Arc::clone(&waiting));
        request.set_body(body);
        too_slow = Some(slow);
    }
    let mut response = endpoint.get_response(request).await;
    if too_slow.is_some_and(|slow| slow.get()) {
        response = Response::builder()
            .status(StatusCode::REQUEST_TIMEOUT)
            .content_type("text/plain; charset=utf-8")
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .body("the body of the request arrived too slowly\n");
    }
    let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let response: hyper::Response<_> = response.into();
    // A connection that becomes a web socket has no next request.
    response.map(|body| Answer { body, waiting: (!is_upgrade).then_some(waiting) })
}

/// The body of a response. When it has been sent, the connection waits for the next request.
struct Answer<B> {
    body: B,
    waiting: Option<Arc<Waiting>>,
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            waiting.answered();
        }
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
