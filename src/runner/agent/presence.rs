//! Pure: whether agents are connected.

use chrono::{DateTime, TimeDelta, Utc};
use entity::agent;

/// After how long without a request an agent counts as gone. An agent asks for orders at least every 20 s.
const GONE: TimeDelta = TimeDelta::seconds(60);

/// Whether steps can be started in a cluster of agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The server has not looked yet.
    Unknown,
    /// There is no agent, or none has ever connected.
    Never,
    /// So many steps can run at the same time.
    Here(u32),
    /// All agents are gone, with the reason.
    Gone(String),
}

/// Whether an agent is connected.
#[must_use]
pub fn is_here(agent: &agent::Model, now: DateTime<Utc>) -> bool {
    agent.seen_at.is_some_and(|at| now < at + GONE)
}

/// Whether steps can be started by some of these agents.
pub(super) fn presence(agents: &[agent::Model], now: DateTime<Utc>) -> Presence {
    let here = agents.iter().filter(|agent| is_here(agent, now));
    let capacity: i64 = here.clone().map(|agent| i64::from(agent.capacity.unwrap_or(0))).sum();
    if here.count() > 0 {
        return Presence::Here(u32::try_from(capacity).unwrap_or(u32::MAX));
    }
    match agents.iter().filter_map(|agent| Some((agent.seen_at?, agent.name.as_str()))).max() {
        None => Presence::Never,
        Some((at, name)) => Presence::Gone(format!(
            "no agent of the cluster is connected; {name:?} was heard of last, at {}",
            at.format("%Y-%m-%d %H:%M:%S UTC")
        )),
    }
}
