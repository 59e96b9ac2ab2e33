//! The server: listens, serves the APIs, runs the engine, and shuts down in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::{EndpointExt as _, IntoEndpoint as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::http::{self, Certificates, HttpLimits, plain_http_warning};
use super::loops::Loops;
use super::{calendar_loop, heartbeat_url, module_loop};
use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::notify;
use crate::store;
use crate::{agent_api, alert, api, cloud, console, engine, outbound, push, terrakube};

/// The grace period of open requests after a shutdown request.
const DRAIN: Duration = Duration::from_secs(5);

/// A listening server.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    address: SocketAddr,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be bound, or the TLS certificate cannot be used.
    pub async fn bind(app: Arc<App>) -> Result<Self> {
        let listen = app.config.listen;
        let certificates = Certificates::load(&app.config)?;
        let cannot = |error| Error::internal(format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        if let Some(warning) = plain_http_warning(&app.config) {
            tracing::warn!(%address, "{warning}");
        }
        // Only the first server of an `App` sets its address.
        let _set = app.address.set(address);
        Ok(Self { app, listener, certificates, address })
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
    /// When the leases of an earlier server cannot be ended, or the jobs that run at a start cannot be made due.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let Self { app, listener, certificates, address: _ } = self;
        if app.config.database_url().starts_with("sqlite") {
            let now = app.clock.now();
            store::write(&app.db, async |tx| {
                store::server_lease::end_all(tx, now).await?;
                store::push::release_heads(tx, now).await?;
                store::push::release_polls(tx, now, now + push::LEASE).await.map_err(Error::from)
            })
            .await?;
        }
        engine::tick::begin(&app).await?;
        let drained = CancellationToken::new();
        let others = console::routes(agent_api::routes(cloud::routes(terrakube::routes(poem::Route::new()))), &app);
        let endpoint = console::with_front(api::endpoint(&app, others).into_endpoint().map_to_response());
        let limits = (HttpLimits::new(&app.config), app.metrics.clone());
        let serving = http::serve(listener, endpoint, limits, certificates.clone(), drained.clone(), DRAIN);
        let mut loops = Loops::default();
        loops.add(serving);
        loops.add_of(&app, &drained, |app, drained| Box::pin(http::watch(app, certificates, drained)));
        loops.add_of(&app, &drained, |app, drained| {
            Box::pin(async move {
                engine::run(app, shutdown).await;
                drained.cancel();
            })
        });
        loops.add_of(&app, &drained, |app, drained| Box::pin(outbound::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(alert::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(push::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(heartbeat_url::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(calendar_loop::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(module_loop::run(app, drained)));
        loops.add_of(&app, &drained, |app, drained| Box::pin(notify::run(app, drained)));
        loops.all().await;
        app.runners.process.close().await;
        app.runners.docker.close().await;
        // Another server need not wait until the lease expires.
        let now = app.clock.now();
        let released = store::write(&app.db, async |tx| {
            store::server_lease::release(tx, app.instance, now).await.map_err(Error::from)
        });
        if let Err(error) = released.await {
            tracing::warn!(?error, "the lease could not be released; it expires");
        }
        Ok(())
    }
}
