//! The state machine of a run, and what to do with a running one, pure.

mod backoff;
mod decide;
mod facts;
mod patience;
mod transition;
mod turns;

pub use self::decide::{Decision, decide};
pub use self::facts::{Facts, Intent};
pub use self::patience::{QueuedEnd, QueuedStart, WaitsFor, is_too_late, missed_time};
pub use self::transition::{RunEvent, next_state};
pub use self::turns::{Waiting, take_turns};
