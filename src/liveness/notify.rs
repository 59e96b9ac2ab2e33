//! Wake-ups between the servers of one PostgreSQL database, by LISTEN and NOTIFY. Hints: what is lost is found by the
//! next tick.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The name of the channel.
const CHANNEL: &str = "windlass";
/// Wake-ups that come together are told together.
const TOGETHER: Duration = Duration::from_millis(20);
/// Before the connection is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Tells other servers what this one asks for, and hears what they ask for, until `shutdown`; on SQLite there are none.
pub async fn run(app: &App, shutdown: CancellationToken) {
    if !app.config.database_url().starts_with("postgres") {
        return;
    }
    while !shutdown.is_cancelled() {
        if let Err(error) = exchange(app, &shutdown).await {
            tracing::warn!(%error, "wake-ups of other servers are not heard; the engine looks by itself");
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
                    tracing::debug!(%error, "a wake-up was not told to other servers");
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
