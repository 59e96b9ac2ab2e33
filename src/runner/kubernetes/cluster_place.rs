//! The place of runs in a cluster: the same for all servers.

use entity::id::ClusterId;

const PLACE: &str = "kubernetes/";

/// The place of runs in a cluster: the same for all servers.
#[must_use]
pub fn place(id: ClusterId) -> String {
    format!("{PLACE}{id}")
}

/// The cluster that a place is in.
#[must_use]
pub fn cluster_of(place: &str) -> Option<ClusterId> {
    place.strip_prefix(PLACE)?.parse().ok().map(ClusterId)
}
