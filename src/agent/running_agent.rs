//! What the tasks of an agent share.

use std::time::Duration;

use super::agent_link::AgentLink;
use super::held_steps::HeldSteps;
use super::local_engine::LocalEngine;
use crate::clock::Clock;
use crate::liveness::fence::Fence;

/// An agent that is running.
pub(super) struct Agent {
    pub(super) link: AgentLink,
    pub(super) engine: LocalEngine,
    pub(super) clock: Clock,
    /// Nothing is started while the server has not been heard of for a while: the step may no longer be wanted.
    pub(super) fence: Fence,
    pub(super) held: HeldSteps,
    pub(super) capacity: u32,
    /// How long a step that ends with the agent has to stop.
    pub(super) stop_grace: Duration,
}
