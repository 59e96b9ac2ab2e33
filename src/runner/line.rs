//! The output of a step, line by line.

use chrono::{DateTime, Utc};

/// The longest line that is kept whole, in bytes.
pub const LINE_BYTES: usize = 16 * 1024;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of output; longer ones are cut into several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: DateTime<Utc>,
    pub stream: Stream,
    pub text: String,
}

/// Lines in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// Nothing follows.
    pub end: bool,
}
