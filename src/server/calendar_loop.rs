//! Reads the iCalendar addresses of calendars again, as long as the server runs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::engine::calendar_reads::read_due;

/// How often it looks for calendars that are due.
const INTERVAL: Duration = Duration::from_secs(60);

/// Reads them until `shutdown`.
pub(super) async fn run(app: &App, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            done = read_due(app) => {
                if let Err(error) = done {
                    tracing::warn!(?error, "calendars could not be read again");
                }
            }
        }
    }
}
