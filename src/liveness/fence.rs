//! Keeps a server that was away from starting what another one has taken over meanwhile.
//!
//! A server that stops for longer than its leases last (a machine that slept, a stopped process) goes on where it was: in
//! the middle of a start, perhaps of a run that is long over. So a start is bound to the time that the server held its
//! leases without a break, and is given up at the last moment when there was one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// How much earlier than its leases end a server stops to start anything: clocks of machines differ a little.
const MARGIN: TimeDelta = TimeDelta::seconds(2);

#[derive(Default)]
struct LeaseState {
    /// When the leases of this server end, in microseconds since 1970.
    until: AtomicI64,
    /// How often they had ended when they were renewed.
    breaks: AtomicU64,
}

/// The time that this server holds its leases.
#[derive(Clone, Default)]
pub struct Fence(Arc<LeaseState>);

impl Fence {
    /// All leases of this server were renewed, by what it knew at `now`.
    pub fn renewed(&self, now: DateTime<Utc>, until: DateTime<Utc>) {
        if self.0.until.load(Ordering::SeqCst) <= now.timestamp_micros() {
            self.0.breaks.fetch_add(1, Ordering::SeqCst);
        }
        self.0.until.fetch_max(until.timestamp_micros(), Ordering::SeqCst);
    }

    /// The permit to start something while there is no break.
    #[must_use]
    pub fn permit(&self, clock: &Clock) -> StartPermit {
        let breaks = self.0.breaks.load(Ordering::SeqCst);
        StartPermit { fence: self.clone(), clock: clock.clone(), breaks }
    }
}

/// The permit to start something.
#[derive(Clone)]
pub struct StartPermit {
    fence: Fence,
    clock: Clock,
    breaks: u64,
}

impl StartPermit {
    /// Whether it still holds; to be asked right before something is started.
    #[must_use]
    pub fn holds(&self) -> bool {
        let until = self.fence.0.until.load(Ordering::SeqCst);
        let now = (self.clock.now() + MARGIN).timestamp_micros();
        now < until && self.fence.0.breaks.load(Ordering::SeqCst) == self.breaks
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
        assert!(!fence.permit(&clock).holds(), "nothing is held yet");
        renew();
        let permit = fence.permit(&clock);
        seconds.store(1012, Ordering::SeqCst);
        assert!(permit.holds());
        renew();
        seconds.store(1024, Ordering::SeqCst);
        assert!(permit.holds(), "it was renewed in time");
        seconds.store(1027, Ordering::SeqCst);
        assert!(!permit.holds() && !fence.permit(&clock).holds());
        renew();
        assert!(!permit.holds(), "there was a break");
        assert!(fence.permit(&clock).holds());
    }
}
