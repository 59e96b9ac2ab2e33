//! Whether a cluster can be used.

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The cluster has not answered yet.
    Connecting,
    /// The cluster answers; with its version.
    Ready(String),
    /// The cluster does not answer, with the reason.
    Unreachable(String),
    /// The cluster answers, but rejects our credentials or requests.
    Refused(String),
}
