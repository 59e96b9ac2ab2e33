//! Requests an address at an interval while this server is well, so that another service notices when it is not.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::observe::metrics::HeartbeatOutcome;
use crate::{api, outbound};

/// The requests to one address.
pub struct Heartbeat {
    url: String,
    client: reqwest::Client,
    /// The last outcome. Only changes are logged.
    last: Option<HeartbeatOutcome>,
}

impl Heartbeat {
    /// The heartbeat of a server; `None` if the setting is absent.
    ///
    /// # Errors
    /// When the certificates of the machine cannot be read.
    pub fn new(app: &App) -> reqwest::Result<Option<Self>> {
        let Some(url) = &app.config.heartbeat_url else { return Ok(None) };
        // Only who starts the server can name the address, so it may be a private one.
        Ok(Some(Self { url: url.expose().clone(), client: outbound::client(true)?, last: None }))
    }

    /// Sends a heartbeat if the server is well.
    pub async fn beat(&mut self, app: &App) -> HeartbeatOutcome {
        let (outcome, answer) = if api::is_well(app).await {
            match outbound::call(self.client.get(&self.url)).await {
                Ok((status, _)) if (200..300).contains(&status) => (HeartbeatOutcome::Sent, String::new()),
                Ok((status, _)) => (HeartbeatOutcome::Refused, format!("the answer has status {status}")),
                Err(reason) => (HeartbeatOutcome::Refused, reason),
            }
        } else {
            (HeartbeatOutcome::Withheld, String::new())
        };
        app.metrics.heartbeat(outcome);
        if self.last.replace(outcome) != Some(outcome) {
            // Without the address, which often contains a key.
            match outcome {
                HeartbeatOutcome::Sent => tracing::info!("heartbeats are sent to --heartbeat-url"),
                HeartbeatOutcome::Refused => {
                    tracing::warn!(reason = answer, "heartbeats do not arrive at --heartbeat-url");
                }
                HeartbeatOutcome::Withheld => {
                    tracing::warn!("no heartbeats are sent to --heartbeat-url, because this server is not well");
                }
            }
        }
        outcome
    }
}

/// Sends heartbeats until `shutdown`.
pub(super) async fn run(app: &App, shutdown: CancellationToken) {
    let mut heartbeat = match Heartbeat::new(app) {
        Ok(Some(heartbeat)) => heartbeat,
        Ok(None) => return,
        Err(error) => {
            tracing::error!(%error, "no heartbeats can be sent to --heartbeat-url");
            return;
        }
    };
    let interval = Duration::from_secs(app.config.heartbeat_seconds.into());
    // The first one is sent soon, so that whoever sets it up sees it. The engine has ticked by then.
    let mut pause = Duration::from_secs(1);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            _outcome = heartbeat.beat(app) => {}
        }
        pause = interval;
    }
}
