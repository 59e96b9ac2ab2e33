//! Lines of the output of a step.

use chrono::{DateTime, Utc};

/// The longest line in bytes; longer ones are split.
pub const LINE_BYTES: usize = 1024 * 1024;

/// How many bytes of lines one batch has; its last line may exceed them.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;

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
    /// Whether the line may go on in the next one of its stream: it is longer than `LINE_BYTES`, or was not complete for a while.
    pub open: bool,
}

/// A batch of lines, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// Whether the log ends here.
    pub end: bool,
}

impl Lines {
    /// Whether the batch has as many lines or bytes as a batch may have, so that more of them may be waiting.
    #[must_use]
    pub fn is_full(&self, limit: usize) -> bool {
        let bytes: usize = self.lines.iter().map(|line| line.text.len()).sum();
        self.lines.len() >= limit || bytes >= BATCH_BYTES
    }
}
