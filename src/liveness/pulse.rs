//! The heartbeat of the engine's loops and the fit of the key file, for health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// A loop without a heartbeat for this long is stuck: its calls have shorter timeouts.
const STUCK: TimeDelta = TimeDelta::seconds(120);

/// A loop of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Plan,
    Work,
}

#[derive(Default)]
struct Beats {
    /// The last heartbeat of each loop, as a Unix timestamp in microseconds; 0 before the first.
    plan: AtomicI64,
    work: AtomicI64,
    /// Whether no stored value can be opened with the keys of this server.
    wrong_key: AtomicBool,
}

/// The heartbeat of the engine.
#[derive(Clone, Default)]
pub struct Pulse(Arc<Beats>);

/// The health of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A loop has not ticked yet.
    Starting,
    Well,
    /// This loop no longer ticks.
    Stuck(Loop),
}

impl Pulse {
    /// Records a heartbeat of a loop.
    pub fn beat(&self, which: Loop, now: DateTime<Utc>) {
        let place = match which {
            Loop::Plan => &self.0.plan,
            Loop::Work => &self.0.work,
        };
        place.store(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// The health of the engine.
    #[must_use]
    pub fn health(&self, now: DateTime<Utc>) -> Health {
        let mut health = Health::Well;
        for (which, place) in [(Loop::Plan, &self.0.plan), (Loop::Work, &self.0.work)] {
            let at = place.load(Ordering::Relaxed);
            match DateTime::from_timestamp_micros(at).filter(|_| at > 0) {
                Some(at) if at + STUCK < now => return Health::Stuck(which),
                Some(_) => {}
                None => health = Health::Starting,
            }
        }
        health
    }

    /// Records whether the keys of this server open the stored values.
    pub fn set_key_fits(&self, fits: bool) {
        self.0.wrong_key.store(!fits, Ordering::Relaxed);
    }

    /// Whether the keys of this server open the stored values, as last seen.
    #[must_use]
    pub fn key_fits(&self) -> bool {
        !self.0.wrong_key.load(Ordering::Relaxed)
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
        let later = now + TimeDelta::seconds(200);
        assert_eq!(pulse.health(later), Health::Stuck(Loop::Plan));
        pulse.beat(Loop::Plan, later);
        assert_eq!(pulse.health(later), Health::Stuck(Loop::Work));
    }
}
