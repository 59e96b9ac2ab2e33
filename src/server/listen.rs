//! The server itself: it listens, serves the APIs, runs the engine, and ends them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::listener::{Acceptor as _, Listener as _, TcpAcceptor, TcpListener};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::notify;
use crate::store;
use crate::{api, engine, outbound, terrakube};

/// How long requests may go on after the server was asked to end.
const DRAIN: Duration = Duration::from_secs(5);

/// A server that listens.
pub struct Server {
    app: Arc<App>,
    acceptor: TcpAcceptor,
    address: SocketAddr,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn bind(app: Arc<App>) -> Result<Self> {
        let listen = app.config.listen;
        let acceptor = TcpListener::bind(listen)
            .into_acceptor()
            .await
            .map_err(|error| Error::internal(format!("cannot listen on {listen}: {error}")))?;
        let address = acceptor.local_addr().first().and_then(|addr| addr.as_socket_addr().copied()).unwrap_or(listen);
        // Only the first server of an App tells where it listens.
        let _told = app.address.set(address);
        Ok(Self { app, acceptor, address })
    }

    /// Where it listens; tells the port when any free one was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves and runs the engine until `shutdown`; then ends requests, and after them the engine.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let Self { app, acceptor, address: _ } = self;
        if app.config.database_url().starts_with("sqlite") {
            store::run::end_leases(&app.db, app.clock.now()).await?;
        }
        let asked = shutdown.clone();
        let serving = poem::Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(
            api::face(&app, terrakube::routes(poem::Route::new())),
            async move { asked.cancelled().await },
            Some(DRAIN),
        );
        let (served, (), (), ()) = tokio::join!(
            serving,
            engine::run(&app, shutdown.clone()),
            outbound::run(&app, shutdown.clone()),
            notify::run(&app, shutdown)
        );
        app.runners.process.close().await;
        app.runners.docker.close().await;
        served.map_err(Error::internal)
    }
}
