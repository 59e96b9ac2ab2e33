//! Lines of the output of a step.

use chrono::{DateTime, Utc};

/// The longest line in bytes; longer ones are split.
pub const LINE_BYTES: usize = 16 * 1024;

/// The stream that a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: DateTime<Utc>,
    pub stream: Stream,
    pub text: String,
}

/// A batch of lines, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// Whether the log ends here.
    pub end: bool,
}
