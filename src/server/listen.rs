//! The server: listens, serves the APIs, runs the engine, and shuts down in order.

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

/// The grace period of open requests after a shutdown request.
const DRAIN: Duration = Duration::from_secs(5);

/// A listening server.
pub struct Server {
    app: Arc<App>,
    acceptor: TcpAcceptor,
    address: SocketAddr,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(app: Arc<App>) -> Result<Self> {
        let listen = app.config.listen;
        let acceptor = TcpListener::bind(listen)
            .into_acceptor()
            .await
            .map_err(|error| Error::internal(format!("cannot listen on {listen}: {error}")))?;
        let address = acceptor.local_addr().first().and_then(|addr| addr.as_socket_addr().copied()).unwrap_or(listen);
        // Only the first server of an `App` sets its address.
        let _set = app.address.set(address);
        Ok(Self { app, acceptor, address })
    }

    /// The address that the server listens on, with the actual port if port 0 was configured.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves requests and runs the engine until `shutdown`. Then the engine winds down, while requests are still answered, because
    /// Terraform stores its state through them; and then the open requests get a moment to end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let Self { app, acceptor, address: _ } = self;
        if app.config.database_url().starts_with("sqlite") {
            store::run::end_leases(&app.db, app.clock.now()).await?;
        }
        let drained = CancellationToken::new();
        let closing = drained.clone();
        let serving = poem::Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(
            api::endpoint(&app, terrakube::routes(poem::Route::new())),
            async move { closing.cancelled().await },
            Some(DRAIN),
        );
        let (served, (), (), ()) = tokio::join!(
            serving,
            async {
                engine::run(&app, shutdown).await;
                drained.cancel();
            },
            outbound::run(&app, drained.clone()),
            notify::run(&app, drained.clone())
        );
        app.runners.process.close().await;
        app.runners.docker.close().await;
        // Another server need not wait until the leases expire.
        let now = app.clock.now();
        let released = store::write(&app.db, async |tx| {
            store::run::release_leases(tx, app.instance, now).await.map_err(Error::from)
        });
        if let Err(error) = released.await {
            tracing::warn!(?error, "leases could not be released; they expire");
        }
        served.map_err(Error::internal)
    }
}
