//! The end of the engine: stops what cannot outlive the server, and waits until its results are stored.

use std::time::Duration;

use tokio::time::Instant;

use super::tick;
use crate::app::App;

/// How often the remaining steps are counted.
const LOOK: Duration = Duration::from_millis(50);

/// How long the results of killed steps may take to be stored.
const STORE: Duration = Duration::from_secs(10);

/// Winds down: no run is started any more, and the steps that end with this server are asked to stop, then killed. Returns when their
/// ends are stored, or when no more time is left.
pub(super) async fn run(app: &App) {
    app.shutdown.begin();
    app.fence.close();
    let limit = Duration::from_secs(app.config.shutdown_grace_seconds.into());
    let until = Instant::now() + limit;
    while left(app) > 0 && Instant::now() < until {
        let remaining = until.saturating_duration_since(Instant::now());
        if let Err(error) = tick::drain::run_once(app, remaining).await {
            tracing::warn!(?error, "runs could not be read during the shutdown; will retry");
        }
        tokio::time::sleep(LOOK).await;
    }
    if left(app) > 0 {
        tracing::warn!(steps = left(app), "steps did not end within --shutdown-grace-seconds; they are killed");
    }
    app.runners.process.close().await;
    let until = Instant::now() + STORE;
    while left(app) > 0 && Instant::now() < until {
        app.wake.here();
        tokio::time::sleep(LOOK).await;
    }
    if left(app) > 0 {
        tracing::error!(steps = left(app), "the ends of some steps could not be stored before the server ended");
    }
}

/// How many steps that end with this server have not ended, or have not been stored.
fn left(app: &App) -> usize {
    app.runners.docker.tied_to_server().len() + app.runners.process.tied_to_server().len()
}
