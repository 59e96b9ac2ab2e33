//! Whether a cluster can be used.

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is being connected.
    Connecting,
    /// It answers; with its version.
    Ready(String),
    /// It does not, and why.
    Unreachable(String),
    /// It answers, but does not let us in.
    Refused(String),
}
