//! Wake-ups between the servers of one PostgreSQL database, by LISTEN and NOTIFY. They are hints: the next tick covers
//! for a lost one.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The notification channel.
const CHANNEL: &str = "windlass";
/// Wake-ups within this time are sent as one.
const TOGETHER: Duration = Duration::from_millis(20);
/// The pause before a reconnect.
const PAUSE: Duration = Duration::from_secs(5);

/// Exchanges wake-ups with other servers until `shutdown`. Does nothing on SQLite, which has one server.
pub async fn run(app: &App, shutdown: CancellationToken) {
    if !app.config.database_url().starts_with("postgres") {
        return;
    }
    while !shutdown.is_cancelled() {
        if let Err(error) = exchange(app, &shutdown).await {
            tracing::warn!(%error, "lost the connection for wake-ups between servers; will reconnect");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn exchange(app: &App, shutdown: &CancellationToken) -> Result<(), sqlx::Error> {
    let own = app.instance.to_string();
    let mut listener = PgListener::connect(&app.config.database_url()).await?;
    listener.listen(CHANNEL).await?;
    let mut asked = app.wake.listen_for_others();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = asked.wait() => {
                tokio::time::sleep(TOGETHER).await;
                if let Err(error) = crate::store::notify(&app.db, CHANNEL, &own).await {
                    tracing::debug!(%error, "failed to send a wake-up to other servers");
                }
            }
            heard = listener.recv() => {
                if heard?.payload() != own {
                    app.wake.here();
                }
            }
        }
    }
}
