//! The state machine of a run, and what to do with a running one, pure.

mod backoff;
mod decide;
mod facts;
mod transition;
mod turns;

pub use self::decide::{Decision, decide};
pub use self::facts::{Facts, Intent};
pub use self::transition::{RunEvent, next_state};
pub use self::turns::{Waiting, take_turns};
