//! Reads the tags of the modules of the private registry again, as long as the server runs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::engine::private_registry::refresh_due;

/// How often it looks for modules that are due.
const INTERVAL: Duration = Duration::from_secs(10);

/// Reads them until `shutdown`.
pub(super) async fn run(app: &App, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            done = refresh_due(app) => {
                if let Err(error) = done {
                    tracing::warn!(?error, "the tags of modules could not be read");
                }
            }
        }
    }
}
