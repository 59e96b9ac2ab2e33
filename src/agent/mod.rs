//! The program of an agent: fetches the steps of a cluster from the server by outbound requests, runs them here, and reports.
//!
//! What has to be done is in the database of the server, and what is being done is known to the runner of this machine, by name. So an
//! agent that was killed finds its steps again, and while the server is away they go on, and their lines wait.

mod agent_link;
mod certificates_for_steps;
mod follow_step;
mod held_steps;
mod local_engine;
mod poll_orders;
mod retry_pause;
mod running_agent;
mod step_tool;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::agent_link::{AgentLink, CallError};
use self::held_steps::HeldSteps;
use self::local_engine::LocalEngine;
use self::running_agent::Agent;
use crate::clock::Clock;
use crate::config::{AgentOptions, Config};
use crate::error::{Error, Result};
use crate::liveness::fence::Fence;
use crate::runner::agent::protocol::MOST_CAPACITY;

/// How long the removal of all steps may take when the agent was removed.
const CLEAN_UP: Duration = Duration::from_secs(30);

/// Runs an agent until `shutdown`, or until its token is revoked.
///
/// # Errors
/// When the settings cannot be used, the server refuses the agent, or another process has replaced it.
pub async fn run(config: &Config, options: &AgentOptions, shutdown: CancellationToken) -> Result<()> {
    let link = AgentLink::new(options)?;
    let clock = Clock::system();
    let engine = LocalEngine::start(config, options, &clock).await?;
    let agent = Arc::new(Agent {
        link,
        engine,
        clock,
        fence: Fence::default(),
        held: HeldSteps::default(),
        capacity: config.max_runs.min(MOST_CAPACITY),
        stop_grace: Duration::from_secs(config.stop_grace_seconds.into()),
    });
    let ended = tokio::select! {
        ended = poll_orders::run(&agent) => ended,
        () = agent.held.spread_news(&agent.engine.wake) => return Ok(()),
        () = shutdown.cancelled() => CallError::Away("the agent shuts down".into()),
    };
    agent.fence.close();
    let done = match ended {
        CallError::Away(_) => {
            wind_down(&agent, Duration::from_secs(config.shutdown_grace_seconds.into())).await;
            Ok(())
        }
        CallError::Revoked(reason) => {
            clean_up(&agent).await;
            Err(Error::internal(format!("the server refuses the agent: {reason}")))
        }
        CallError::Replaced(reason) => {
            // On the same engine, the steps are those of the other process now.
            if !reason.contains(&agent.engine.place) {
                clean_up(&agent).await;
            }
            Err(Error::internal(reason))
        }
        CallError::Gone(reason) | CallError::Refused(reason) => {
            Err(Error::internal(format!("the server refuses the agent: {reason}")))
        }
    };
    agent.held.abort_all();
    agent.engine.runner.close().await;
    done
}

/// Stops the steps that cannot outlive this process, and waits until their ends are reported. The others go on.
async fn wind_down(agent: &Arc<Agent>, limit: Duration) {
    let tied = agent.engine.runner.tied_to_server();
    if tied.is_empty() {
        return;
    }
    tracing::info!(
        steps = tied.len(),
        limit_seconds = limit.as_secs(),
        "steps are being stopped: the agent shuts down"
    );
    for name in &tied {
        agent.held.interrupt(name);
        if let Err(error) = agent.engine.runner.stop(name, agent.stop_grace.min(limit)).await {
            tracing::warn!(step = name, reason = error.0, "step could not be stopped");
        }
    }
    let reported = agent.held.spread_news_until_reported(&agent.engine.wake, &tied);
    if tokio::time::timeout(limit, reported).await.is_err() {
        tracing::warn!("the ends of some steps could not be reported in time; they count as lost");
    }
}

/// Removes all steps: nobody asks for them any more.
async fn clean_up(agent: &Arc<Agent>) {
    let names = agent.held.names();
    let removals = names.iter().map(|name| agent.engine.runner.remove(name));
    if tokio::time::timeout(CLEAN_UP, futures_util::future::join_all(removals)).await.is_err() {
        tracing::warn!("some steps could not be removed in time");
    }
}
