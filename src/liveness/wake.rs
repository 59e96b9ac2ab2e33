//! A hint that wakes the engine; losing one costs time, never correctness.

use tokio::sync::watch;

/// Wakes the loops of the engine, here and on other servers. A hint: a lost one costs time, never correctness.
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
    /// Asks for a tick soon, by whoever comes first.
    pub fn now(&self) {
        count(&self.here);
        count(&self.elsewhere);
    }

    /// Asks for a tick of this server, because nobody else can do what is to be done.
    pub fn here(&self) {
        count(&self.here);
    }

    /// What is asked of this server from now on.
    #[must_use]
    pub fn listen(&self) -> WakeReceiver {
        WakeReceiver(self.here.subscribe())
    }

    /// What is asked of all servers from now on.
    #[must_use]
    pub fn listen_for_others(&self) -> WakeReceiver {
        WakeReceiver(self.elsewhere.subscribe())
    }
}

/// Hears of what was asked since it last waited.
pub struct WakeReceiver(watch::Receiver<u64>);

impl WakeReceiver {
    /// Waits until somebody asks, unless somebody has.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}
