//! The present time, cut to microseconds, which is what both databases keep.
//!
//! The only caller of `Utc::now`: everything else is given a time, or reads it here once.

use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// A function that returns the present time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The clock of the operating system.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the home of the present time")]
        Self(Arc::new(Utc::now))
    }

    /// A clock that returns what `read` returns.
    pub fn from_fn(read: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The present time in whole microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.0)();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }
}
