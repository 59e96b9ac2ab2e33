//! Wakes the loops of the engine.

use tokio::sync::watch;

/// Wakes the loops of the engine, here and on other servers. Wake-ups are hints: losing one costs time, not correctness.
#[derive(Clone)]
pub struct Wake {
    here: watch::Sender<u64>,
    elsewhere: watch::Sender<u64>,
}

impl Default for Wake {
    fn default() -> Self {
        Self { here: watch::Sender::new(0), elsewhere: watch::Sender::new(0) }
    }
}

fn count(sender: &watch::Sender<u64>) {
    sender.send_modify(|count| *count = count.wrapping_add(1));
}

impl Wake {
    /// Requests a tick on any server.
    pub fn now(&self) {
        count(&self.here);
        count(&self.elsewhere);
    }

    /// Requests a tick on this server, for work that only it can do.
    pub fn here(&self) {
        count(&self.here);
    }

    /// Subscribes to wake-ups of this server.
    #[must_use]
    pub fn listen(&self) -> WakeReceiver {
        WakeReceiver(self.here.subscribe())
    }

    /// Subscribes to wake-ups that other servers should get.
    #[must_use]
    pub fn listen_for_others(&self) -> WakeReceiver {
        WakeReceiver(self.elsewhere.subscribe())
    }
}

/// A subscription to wake-ups.
pub struct WakeReceiver(watch::Receiver<u64>);

impl WakeReceiver {
    /// Waits for the next wake-up; returns at once if there was one since the last call.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // The sender is gone: there will be no more wake-ups.
            std::future::pending::<()>().await;
        }
    }
}
