//! Accepts connections, and ends them on shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::limits_of_config::HttpLimits;
use super::open_connections::{OpenConnections, Place};
use super::serve_connection::{Ends, serve_connection};
use super::timed_io::TimedIo;
use super::tls::Certificates;
use super::waiting::Waiting;
use crate::observe::metrics::{Metrics, Slow};

/// The pause after a connection could not be accepted, most likely because too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

/// What a client is told for which there is no place. It is sent without waiting for the request.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What all connections have in common.
struct Shared<E> {
    endpoint: Arc<E>,
    limits: HttpLimits,
    metrics: Metrics,
    certificates: Option<Arc<Certificates>>,
    closing: CancellationToken,
}

/// Serves connections until `closing`; then waits up to `drain` for the open requests.
pub(in crate::server) async fn serve<E>(
    listener: TcpListener,
    endpoint: E,
    (limits, metrics): (HttpLimits, Metrics),
    certificates: Option<Arc<Certificates>>,
    closing: CancellationToken,
    drain: Duration,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let open = OpenConnections::new(&limits, metrics.clone());
    let is_tls = certificates.is_some();
    let shared =
        Arc::new(Shared { endpoint: Arc::new(endpoint), limits, metrics, certificates, closing: closing.clone() });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => match open.enter(remote.ip()) {
                    Some(place) => {
                        connections.spawn(Arc::clone(&shared).connected(stream, remote, place));
                    }
                    None if is_tls => {}
                    // The client may already be gone.
                    None => drop(stream.try_write(FULL)),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, drained).await.is_err() {
        connections.shutdown().await;
    }
}

impl<E: Endpoint<Output = Response> + 'static> Shared<E> {
    async fn connected(self: Arc<Self>, stream: TcpStream, remote: SocketAddr, place: Place) {
        // Responses are written as a whole, so that nothing is gained by waiting for more.
        let _set = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return };
        let waiting = Arc::new(Waiting::new(self.limits, self.metrics.clone()));
        let (endpoint, closing) = (Arc::clone(&self.endpoint), self.closing.clone());
        let Some(certificates) = &self.certificates else {
            let ends = Ends { local, remote, scheme: Scheme::HTTP };
            let io = TimedIo::new(stream, Arc::clone(&waiting), place);
            return serve_connection(io, ends, waiting, endpoint, closing).await;
        };
        let acceptor = TlsAcceptor::from(certificates.current());
        match tokio::time::timeout(self.limits.headers, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let ends = Ends { local, remote, scheme: Scheme::HTTPS };
                let io = TimedIo::new(stream, Arc::clone(&waiting), place);
                serve_connection(io, ends, waiting, endpoint, closing).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, %remote, "a TLS handshake failed"),
            Err(_) => waiting.gave_up(Slow::Headers),
        }
    }
}
