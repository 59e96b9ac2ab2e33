//! The cluster of agents as the place of runs; it is the same on all servers.

use entity::id::ClusterId;

const PLACE: &str = "agents/";

/// The place of runs of the agents of a cluster.
#[must_use]
pub fn place(id: ClusterId) -> String {
    format!("{PLACE}{id}")
}

/// The cluster of a place.
#[must_use]
pub fn cluster_of(place: &str) -> Option<ClusterId> {
    place.strip_prefix(PLACE)?.parse().ok().map(ClusterId)
}
