//! Pure: when alerts fire and resolve, and what is told about them.

mod condition_name;
mod coverage;
mod decision;
mod grouping;
mod placement;
mod quiet;
mod time_span;

pub use self::condition_name::{default_threshold, fits, is_caused_by, name, needs_threshold, parse};
pub use self::coverage::{Position, covers, silence_words, silenced};
pub use self::decision::{Decision, Known, NOBODY, Seen, decide, unheard};
pub use self::grouping::{Capacity, LISTED, send_at};
pub use self::placement::{Placed, place};
pub use self::quiet::{leaves_time, minute_text, parse_minute, quiet_until};
pub use self::time_span::{parse_span, span_text};
