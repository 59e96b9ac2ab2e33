//! What agents request of the server: orders, and the reports and logs of steps (`docs/agents.md`).
//!
//! An agent authenticates each request with its token, and may talk to any server. Nothing here calls a runner: orders and reports are
//! rows, which the runner of the cluster writes and reads.

mod agent_caller;
mod agent_orders;
mod agent_reports;

use poem::{Route, post};

/// Adds the routes of agents.
#[must_use]
pub fn routes(route: Route) -> Route {
    let route =
        route.at("/agent/v1/connect", post(agent_orders::connect)).at("/agent/v1/poll", post(agent_orders::poll));
    route.at("/agent/v1/report", post(agent_reports::report)).at("/agent/v1/log", post(agent_reports::log))
}
