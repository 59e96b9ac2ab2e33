//! Stops a server that lost its leases from starting runs another server now owns.
//!
//! A server that pauses for longer than its leases last (a suspended machine, a stopped process) resumes where it was:
//! perhaps in the middle of starting a run that ended elsewhere long ago. So each start needs a permit, which is valid
//! only while the server has held its leases without interruption, and is checked right before the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// A server stops starting runs this long before its leases end, to allow for clock skew.
const MARGIN: TimeDelta = TimeDelta::seconds(2);

#[derive(Default)]
struct LeaseState {
    /// When the leases of this server end, as a Unix timestamp in microseconds.
    until: AtomicI64,
    /// How many times the leases expired before they were renewed.
    breaks: AtomicU64,
    /// Whether the server is shutting down, and starts nothing more.
    closed: AtomicBool,
}

/// Tracks how long this server holds its leases.
#[derive(Clone, Default)]
pub struct Fence(Arc<LeaseState>);

impl Fence {
    /// Records that all leases of this server are renewed `until` a time. `now` is the time after the database has stored it: the
    /// old leases may have ended while it did.
    pub fn renewed(&self, now: DateTime<Utc>, until: DateTime<Utc>) {
        if self.0.until.load(Ordering::SeqCst) <= now.timestamp_micros() {
            self.0.breaks.fetch_add(1, Ordering::SeqCst);
        }
        self.0.until.fetch_max(until.timestamp_micros(), Ordering::SeqCst);
    }

    /// Whether the leases of this server end after `time`.
    #[must_use]
    pub fn lasts_until(&self, time: DateTime<Utc>) -> bool {
        self.0.until.load(Ordering::SeqCst) > time.timestamp_micros()
    }

    /// Revokes all permits permanently, because the server is shutting down.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
    }

    /// A permit for a start, valid until the leases expire for the first time.
    #[must_use]
    pub fn permit(&self, clock: &Clock) -> StartPermit {
        let breaks = self.0.breaks.load(Ordering::SeqCst);
        StartPermit { fence: self.clone(), clock: clock.clone(), breaks }
    }
}

/// A permit to start a step.
#[derive(Clone)]
pub struct StartPermit {
    fence: Fence,
    clock: Clock,
    breaks: u64,
}

impl StartPermit {
    /// Whether the permit is still valid. Check it right before the start.
    #[must_use]
    pub fn holds(&self) -> bool {
        let until = self.fence.0.until.load(Ordering::SeqCst);
        let now = (self.clock.now() + MARGIN).timestamp_micros();
        let unbroken = now < until && self.fence.0.breaks.load(Ordering::SeqCst) == self.breaks;
        unbroken && !self.fence.0.closed.load(Ordering::SeqCst)
    }
}

impl std::fmt::Debug for StartPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartPermit").field("holds", &self.holds()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::Fence;
    use crate::clock::Clock;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn a_permit_ends_with_the_first_break() {
        let seconds = Arc::new(AtomicI64::new(1000));
        let read = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || DateTime::from_timestamp(read.load(Ordering::SeqCst), 0).unwrap());
        let fence = Fence::default();
        let renew = || fence.renewed(clock.now(), clock.now() + TimeDelta::seconds(15));
        assert!(!fence.permit(&clock).holds(), "no lease was taken yet");
        renew();
        let permit = fence.permit(&clock);
        seconds.store(1012, Ordering::SeqCst);
        assert!(permit.holds());
        renew();
        seconds.store(1024, Ordering::SeqCst);
        assert!(permit.holds(), "the leases were renewed in time");
        seconds.store(1027, Ordering::SeqCst);
        assert!(!permit.holds() && !fence.permit(&clock).holds());
        renew();
        assert!(!permit.holds(), "the leases had expired");
        let permit = fence.permit(&clock);
        assert!(permit.holds());
        fence.close();
        renew();
        assert!(!permit.holds() && !fence.permit(&clock).holds(), "nothing is started during a shutdown");
    }
}
