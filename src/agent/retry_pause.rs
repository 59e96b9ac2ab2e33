//! Pauses between attempts to reach the server: they grow, and differ between agents, so that not all of them come back at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses of one series of failures.
#[derive(Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Begins anew after a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Waits after a failure: between half and all of a time that doubles.
    pub(super) async fn pause(&mut self) {
        let most = FIRST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures += 1;
        // The last byte of a random UUID is random.
        let random = f64::from(uuid::Uuid::new_v4().into_bytes().last().copied().unwrap_or_default()) / 255.0;
        tokio::time::sleep(most.mul_f64(0.5 + random / 2.0)).await;
    }

    /// Whether this is the first failure, which is worth a warning.
    pub(super) fn is_first(&self) -> bool {
        self.failures == 0
    }
}
