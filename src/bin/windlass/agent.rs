//! The command that runs an agent, until a signal ends it.

use tokio_util::sync::CancellationToken;
use windlass::config::{AgentOptions, Config};
use windlass::error::Result;

use super::protect_memory;
use super::signals::Signals;

/// Runs an agent. The first signal begins an orderly shutdown, and the second one ends the process at once.
pub(super) async fn run(config: &Config, options: &AgentOptions) -> Result<()> {
    protect_memory();
    let mut signals = Signals::new()?;
    let shutdown = CancellationToken::new();
    tokio::select! {
        done = windlass::agent::run(config, options, shutdown.clone()) => done,
        () = async {
            signals.next().await;
            tracing::info!("the agent is shutting down; another signal ends it at once");
            shutdown.cancel();
            signals.next().await;
        } => std::process::exit(1),
    }
}
