//! A hint that wakes the engine; losing one costs time, never correctness.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes the engine. A hint: a lost one costs time, never correctness.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Asks for a tick soon.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}
