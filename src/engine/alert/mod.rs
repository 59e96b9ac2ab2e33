//! Pure: when alerts fire and resolve, and what is told about them.

mod condition_name;
mod coverage;
mod decision;
mod grouping;
mod quiet;
mod quiet_check;
mod time_span;

pub use self::condition_name::{default_threshold, fits, is_caused_by, name, needs_threshold, parse};
pub use self::coverage::{Position, covers, silence_words, silenced};
pub use self::decision::{Decision, Known, Seen, decide};
pub use self::grouping::{ITEMS, join, send_at};
pub use self::quiet::{minute_text, quiet_until};
pub use self::quiet_check::{WantedQuietHours, WantedQuietSpan, checked_quiet_hours};
pub use self::time_span::{parse_span, span_text};
