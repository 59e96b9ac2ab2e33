//! Wakes the loops of the engine.

use std::collections::HashSet;

use tokio::sync::watch;

use super::news::News;

/// Wakes the loops of the engine, here and on other servers. Wake-ups are hints: losing one costs time, not correctness.
#[derive(Clone)]
pub struct Wake {
    here: watch::Sender<u64>,
    elsewhere: watch::Sender<u64>,
    news: News,
}

impl Default for Wake {
    fn default() -> Self {
        Self { here: watch::Sender::new(0), elsewhere: watch::Sender::new(0), news: News::default() }
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

    /// Reports that a step of this server has started or ended, or has so many new lines that they should be stored now.
    pub fn step(&self, name: &str) {
        self.news.add(name);
        self.here();
    }

    /// Reports that a step of this server has new lines. They can wait for the next tick.
    pub fn lines(&self, name: &str) {
        self.news.add(name);
    }

    /// The steps that were reported since the last call.
    #[must_use]
    pub fn take_news(&self) -> HashSet<String> {
        self.news.take()
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

#[cfg(test)]
mod tests {
    use super::Wake;

    #[tokio::test]
    async fn an_end_wakes_the_engine_and_lines_wait_for_the_next_tick() {
        let wake = Wake::default();
        let mut woken = wake.listen();
        wake.lines("a");
        wake.lines("a");
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, woken.wait()).await.is_err());
        wake.clone().step("b");
        woken.wait().await;
        let mut names: Vec<_> = wake.take_news().into_iter().collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        assert!(wake.take_news().is_empty());
    }
}
