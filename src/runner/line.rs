//! Lines of the output of a step.

use chrono::{DateTime, Utc};

/// The longest line in bytes; longer ones are split.
pub const LINE_BYTES: usize = 1024 * 1024;

/// How many bytes of lines one batch has; its last line may exceed them. It has room for more than what masking leaves for the next
/// batch, so that a full batch always gets somewhere.
pub const BATCH_BYTES: usize = 3 * 512 * 1024;

/// What a line takes besides its text, in bytes.
const LINE_OVERHEAD: usize = 64;

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

impl Line {
    /// How much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + LINE_OVERHEAD
    }
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
        let bytes: usize = self.lines.iter().map(Line::bytes).sum();
        self.lines.len() >= limit || bytes >= BATCH_BYTES
    }
}
