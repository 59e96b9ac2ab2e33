//! The name of a cluster as the place of runs; it is the same on all servers.

use entity::id::ClusterId;

const PLACE: &str = "kubernetes/";

/// The place of runs in a cluster.
#[must_use]
pub fn place(id: ClusterId) -> String {
    format!("{PLACE}{id}")
}

/// The cluster of a place.
#[must_use]
pub fn cluster_of(place: &str) -> Option<ClusterId> {
    place.strip_prefix(PLACE)?.parse().ok().map(ClusterId)
}
