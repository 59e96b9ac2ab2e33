//! Shares one write to the database among many health checks, because anybody may ask for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a success counts. A failure does not: the next health check writes again.
const FRESH: Duration = Duration::from_secs(1);

/// The last success of a probe.
#[derive(Clone, Default)]
pub struct Probe(Arc<Mutex<Option<Instant>>>);

impl Probe {
    /// The result of `work`, or of the last call if that has just succeeded. One call runs at a time.
    pub async fn run(&self, work: impl AsyncFnOnce() -> bool) -> bool {
        let mut last = self.0.lock().await;
        if last.is_some_and(|at| at.elapsed() < FRESH) {
            return true;
        }
        let succeeded = work().await;
        *last = succeeded.then(Instant::now);
        succeeded
    }
}

#[cfg(test)]
mod tests {
    use super::Probe;

    #[tokio::test]
    async fn only_a_success_is_shared() {
        let probe = Probe::default();
        assert!(!probe.run(async || false).await);
        assert!(probe.run(async || true).await, "a failure is not shared");
        assert!(probe.run(async || false).await, "the success is shared");
    }
}
