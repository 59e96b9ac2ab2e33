//! Whether an agent is connected, as the API and the console show it.

use entity::agent;

use crate::app::App;
use crate::runner::agent::is_here;

/// Whether an agent is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentStatus {
    NeverConnected,
    Connected,
    Disconnected,
}

/// Whether an agent is connected now.
#[must_use]
pub fn status_of(app: &App, agent: &agent::Model) -> AgentStatus {
    match agent.seen_at {
        None => AgentStatus::NeverConnected,
        Some(_) if is_here(agent, app.clock.now()) => AgentStatus::Connected,
        Some(_) => AgentStatus::Disconnected,
    }
}
