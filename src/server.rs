//! Starting and stopping: builds the App, serves the faces, runs the engine, and ends both in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::listener::{Acceptor as _, Listener as _, TcpAcceptor, TcpListener};
use tokio_util::sync::CancellationToken;

use crate::access::authenticate::Authenticator;
use crate::access::jwt::Verifier;
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::config::{Config, RunnerChoice};
use crate::error::{Error, Result};
use crate::liveness::notify;
use crate::liveness::wake::Wake;
use crate::runner::docker::DockerRunner;
use crate::runner::kubernetes::connections::Clusters;
use crate::runner::process::ProcessRunner;
use crate::runner::{Runners, Target};
use crate::secret::KeyRing;
use crate::store;
use crate::{api, engine, outbound, terrakube};

/// How long requests may go on after the server was asked to end.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a Docker engine has to answer at the start.
const DOCKER_PATIENCE: Duration = Duration::from_secs(2);

/// Connects to the database, brings it to the newest schema and builds the App.
///
/// # Errors
/// When the data folder, the key file, the database or the settings cannot be used.
pub async fn build(config: Config, clock: Clock) -> Result<Arc<App>> {
    // A second call finds it installed, which is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    make_private_folder(&config)?;
    let keys = KeyRing::load_or_create(&config.secret_key_file())?;
    let db = store::connect(&config.database_url(), config.database_connections).await?;
    migration::run(&db).await?;
    let wake = Wake::default();
    let runners = runners(&config, &clock, &wake).await;
    let verifier = match (&config.oidc_issuer, &config.oidc_audience) {
        (Some(issuer), Some(audience)) => Some(Verifier::new(issuer, audience)?),
        (Some(_), None) => return Err(Error::invalid("--oidc-audience", "is needed with --oidc-issuer")),
        (None, _) => None,
    };
    let authenticator = Authenticator::new(db.clone(), clock.clone(), verifier);
    Ok(Arc::new(App::from(Parts { db, clock, config, keys, runners, authenticator, wake })))
}

/// The data folder holds the database and the keys: nobody else may look.
fn make_private_folder(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|error| Error::internal(format!("cannot make the data folder {}: {error}", config.data_dir.display())))
}

/// An SQLite database has one server: a second one would take its runs for those of a dead one.
///
/// # Errors
/// When another server holds the lock, or the file cannot be made.
pub fn lock_data_folder(config: &Config) -> Result<Option<std::fs::File>> {
    if !config.database_url().starts_with("sqlite") {
        return Ok(None);
    }
    let path = config.data_dir.join("server.lock");
    let file =
        std::fs::File::create(&path).map_err(|e| Error::internal(format!("cannot make {}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) => {
            Err(Error::internal(format!("another server uses the data folder {}: {error}", config.data_dir.display())))
        }
    }
}

async fn runners(config: &Config, clock: &Clock, wake: &Wake) -> Runners {
    let docker = DockerRunner::new(config.docker_host.as_deref(), clock.clone(), wake.clone());
    let process = ProcessRunner::new(config.data_dir.join("processes"), clock.clone(), wake.clone());
    let local = match config.runner {
        RunnerChoice::Docker => Ok(Target::Docker),
        RunnerChoice::Process => Ok(Target::Process),
        RunnerChoice::Auto => match tokio::time::timeout(DOCKER_PATIENCE, docker.ping()).await {
            Ok(Ok(())) => Ok(Target::Docker),
            _ if config.listen.ip().is_loopback() => Ok(Target::Process),
            _ => Err(format!(
                "no Docker engine answered when the server started, and plain processes are refused while it listens \
                 on {}, where others can reach it; start it with --runner docker or --runner process",
                config.listen.ip()
            )),
        },
    };
    match &local {
        Ok(kind) => tracing::info!(?kind, "the cluster local is ready"),
        Err(refused) => tracing::warn!(refused, "the cluster local runs nothing"),
    }
    let processes = match config.runner {
        RunnerChoice::Process => true,
        RunnerChoice::Auto => config.listen.ip().is_loopback() || config.tools.is_some(),
        // Whoever names a folder of programs wants them to be started.
        RunnerChoice::Docker => config.tools.is_some(),
    };
    Runners { docker: Arc::new(docker), process: Arc::new(process), clusters: Clusters::default(), local, processes }
}

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
