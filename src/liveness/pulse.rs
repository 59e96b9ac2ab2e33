//! When the loops of the engine last came round, so that a server whose engine is stuck can say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// A loop that has not come round for so long is stuck: its calls have shorter limits.
const STUCK: TimeDelta = TimeDelta::seconds(120);

/// A loop of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Plan,
    Work,
}

/// When each loop last came round, in microseconds since 1970; 0 before the first time.
#[derive(Clone, Default)]
pub struct Pulse(Arc<[AtomicI64; 2]>);

/// How the engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has not come round yet.
    Starting,
    Well,
    Stuck,
}

impl Pulse {
    /// Notes that a loop came round.
    pub fn beat(&self, which: Loop, now: DateTime<Utc>) {
        let [plan, work] = &*self.0;
        let place = match which {
            Loop::Plan => plan,
            Loop::Work => work,
        };
        place.store(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// How the engine is.
    #[must_use]
    pub fn health(&self, now: DateTime<Utc>) -> Health {
        let oldest = self.0.iter().map(|place| place.load(Ordering::Relaxed)).min().unwrap_or(0);
        match DateTime::from_timestamp_micros(oldest).filter(|_| oldest > 0) {
            None => Health::Starting,
            Some(at) if at + STUCK < now => Health::Stuck,
            Some(_) => Health::Well,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Loop, Pulse};
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn both_loops_have_to_come_round() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pulse = Pulse::default();
        assert_eq!(pulse.health(now), Health::Starting);
        pulse.beat(Loop::Plan, now);
        assert_eq!(pulse.health(now), Health::Starting);
        pulse.beat(Loop::Work, now);
        assert_eq!(pulse.health(now), Health::Well);
        pulse.beat(Loop::Plan, now + TimeDelta::seconds(200));
        assert_eq!(pulse.health(now + TimeDelta::seconds(200)), Health::Stuck);
    }
}
