//! The heartbeat of the engine's loops, for health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// A loop without a heartbeat for this long is stuck: its calls have shorter timeouts.
const STUCK: TimeDelta = TimeDelta::seconds(120);

/// A loop of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Plan,
    Work,
}

/// The last heartbeat of each loop, as a Unix timestamp in microseconds; 0 before the first.
#[derive(Clone, Default)]
pub struct Pulse(Arc<[AtomicI64; 2]>);

/// The health of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A loop has not ticked yet.
    Starting,
    Well,
    Stuck,
}

impl Pulse {
    /// Records a heartbeat of a loop.
    pub fn beat(&self, which: Loop, now: DateTime<Utc>) {
        let [plan, work] = &*self.0;
        let place = match which {
            Loop::Plan => plan,
            Loop::Work => work,
        };
        place.store(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// The health of the engine.
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
    fn both_loops_must_beat() {
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
