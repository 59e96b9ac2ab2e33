//! Pure: when alerts fire and resolve, and what is told about them.

mod condition_name;
mod decision;
mod grouping;
mod time_span;

pub use self::condition_name::{covers, default_threshold, is_caused_by, name, needs_threshold, parse};
pub use self::decision::{Decision, Known, Seen, decide};
pub use self::grouping::{ITEMS, join, send_at};
pub use self::time_span::{parse_span, span_text};
