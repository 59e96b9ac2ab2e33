//! What this server remembers about the progress of the clock between two ticks.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How far the clock may run before the time is stored again.
const STORED_EVERY: TimeDelta = TimeDelta::seconds(60);

/// The newest stored time, and how far the schedules have been planned again since the clock went back.
#[derive(Default)]
pub struct ClockWatch(Mutex<Progress>);

#[derive(Clone, Copy, Default)]
struct Progress {
    stored: Option<DateTime<Utc>>,
    replanned: Option<Uuid>,
}

impl ClockWatch {
    /// Whether the clock runs forward, and the time was stored recently.
    pub fn is_well(&self, now: DateTime<Utc>) -> bool {
        self.with(|progress| progress.stored.is_some_and(|at| now >= at && now - at < STORED_EVERY))
    }

    /// Whether nothing has been stored since the process started.
    pub fn is_new(&self) -> bool {
        self.with(|progress| progress.stored.is_none())
    }

    /// Remembers that `now` was stored; all schedules are planned.
    pub fn note_stored(&self, now: DateTime<Utc>) {
        self.with(|progress| *progress = Progress { stored: Some(now), replanned: None });
    }

    /// The last schedule that was planned again.
    pub fn replanned(&self) -> Option<Uuid> {
        self.with(|progress| progress.replanned)
    }

    /// Remembers the last schedule that was planned again.
    pub fn note_replanned(&self, last: Uuid) {
        self.with(|progress| progress.replanned = Some(last));
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Progress) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::ClockWatch;

    #[test]
    fn the_clock_is_well_while_it_runs_forward() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let watch = ClockWatch::default();
        assert!(!watch.is_well(at(0)) && watch.is_new());
        watch.note_stored(at(0));
        assert!(!watch.is_new());
        assert!(watch.is_well(at(0)) && watch.is_well(at(59)));
        assert!(!watch.is_well(at(60)) && !watch.is_well(at(0) - TimeDelta::microseconds(1)));
    }
}
