//! How often each check may be pinged. Kept in memory only, by each server for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many pings a check may send at once, and how many more in each second.
const BURST: f64 = 10.0;
const PER_SECOND: f64 = 10.0;
/// How many checks are remembered; those that were quiet are forgotten first.
const MOST: usize = 10_000;

/// What a check may still send.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: f64,
    at: DateTime<Utc>,
}

impl Allowance {
    fn at(self, now: DateTime<Utc>) -> f64 {
        (self.left + (now - self.at).as_seconds_f64().max(0.0) * PER_SECOND).min(BURST)
    }
}

/// The checks that pinged lately.
#[derive(Debug, Default)]
pub struct PingRates(Mutex<HashMap<Uuid, Allowance>>);

impl PingRates {
    /// Whether a check may send one more ping.
    pub fn allow(&self, check: Uuid, now: DateTime<Utc>) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.get(&check).map_or(BURST, |allowance| allowance.at(now));
        if left < 1.0 {
            return false;
        }
        if all.len() >= MOST {
            all.retain(|_, allowance| allowance.at(now) < BURST);
        }
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(check, Allowance { left: left - 1.0, at: now });
        true
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::{MOST, PingRates};

    #[test]
    fn a_burst_is_allowed_and_then_ten_in_a_second() {
        let (rates, check, now) = (PingRates::default(), Uuid::now_v7(), DateTime::UNIX_EPOCH);
        assert_eq!((0..30).filter(|_| rates.allow(check, now)).count(), 10);
        assert!(rates.allow(Uuid::now_v7(), now), "another check");
        assert_eq!((0..30).filter(|_| rates.allow(check, now + TimeDelta::milliseconds(500))).count(), 5);
        assert_eq!((0..30).filter(|_| rates.allow(check, now + TimeDelta::hours(1))).count(), 10);
        // The clock was set back.
        assert!(!rates.allow(check, now));
    }

    #[test]
    fn memory_is_bounded() {
        let (rates, now) = (PingRates::default(), DateTime::UNIX_EPOCH);
        for _ in 0..MOST + 10 {
            assert!(rates.allow(Uuid::now_v7(), now));
        }
        assert!(rates.0.lock().unwrap().len() <= MOST);
    }
}
