//! A hint that wakes the engine; losing one costs time, never correctness.

use tokio::sync::watch;

/// Wakes the loops of the engine. A hint: a lost one costs time, never correctness.
#[derive(Clone)]
pub struct Wake(watch::Sender<u64>);

impl Default for Wake {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Wake {
    /// Asks for a tick soon.
    pub fn now(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What is asked from now on.
    #[must_use]
    pub fn listen(&self) -> Woken {
        Woken(self.0.subscribe())
    }
}

/// Hears of what was asked since it last waited.
pub struct Woken(watch::Receiver<u64>);

impl Woken {
    /// Waits until somebody asks, unless somebody has.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}
