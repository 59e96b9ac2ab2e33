//! Steps in places that the server cannot reach: agents there fetch them, and run them with a runner of their own.
//!
//! Orders and reports are rows, so that the agent can talk to any server. A step is given to one agent only, which starts it by its
//! name: an agent that was killed finds its steps again, and none is started twice.

pub mod agent_place;
mod agent_runner;
mod agents;
mod order_text;
mod presence;
pub mod protocol;
mod wire_step;

pub use self::agent_runner::AgentRunner;
pub use self::agents::Agents;
pub use self::order_text::{opened_report, opened_spec, sealed_lines, sealed_outputs, sealed_report};
pub use self::presence::{Presence, is_here};
