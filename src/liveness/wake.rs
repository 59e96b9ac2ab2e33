//! Wakes the loops of the engine.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

pub use super::news::Calls;
use super::news::News;

/// Wakes the loops of the engine, here and on other servers. Wake-ups are hints: losing one costs time, not correctness.
#[derive(Clone)]
pub struct Wake {
    /// The loop that works on runs.
    runs: watch::Sender<u64>,
    /// The other loops of this server.
    plans: watch::Sender<u64>,
    elsewhere: watch::Sender<u64>,
    /// The agents that wait for orders at this server.
    orders: watch::Sender<u64>,
    /// The loop that polls repositories.
    pushes: watch::Sender<u64>,
    news: News,
    /// Whether a deployment or a workspace job may wait for the end of any run.
    awaited: Arc<AtomicBool>,
}

impl Default for Wake {
    fn default() -> Self {
        let sender = || watch::Sender::new(0);
        let awaited = Arc::new(AtomicBool::new(true));
        Self {
            runs: sender(),
            plans: sender(),
            elsewhere: sender(),
            orders: sender(),
            pushes: sender(),
            news: News::default(),
            awaited,
        }
    }
}

fn count(sender: &watch::Sender<u64>) {
    sender.send_modify(|count| *count = count.wrapping_add(1));
}

impl Wake {
    /// Requests a tick on any server.
    pub fn now(&self) {
        self.here();
        count(&self.elsewhere);
    }

    /// Requests a tick on this server, for work that only it can do.
    pub fn here(&self) {
        self.runs_here();
        count(&self.plans);
    }

    /// Reports that a step of this server has ended, or has so many new lines that they should be stored now.
    pub fn step(&self, name: &str) {
        self.news.add(name);
        self.again();
    }

    /// Reports that a step of this server has started, or has new lines. They can wait for the next look.
    pub fn lines(&self, name: &str) {
        self.news.add_patient(name);
    }

    /// Requests a pass over runs on any server, because some were queued or cancelled.
    pub fn runs(&self) {
        self.runs_here();
        count(&self.elsewhere);
    }

    /// Requests a pass over runs on this server.
    pub fn runs_here(&self) {
        self.news.call(Calls::ALL);
        self.again();
    }

    /// Requests a visit of runs whose time has come.
    pub fn again(&self) {
        count(&self.runs);
    }

    /// Requests a tick on the other servers, one of which may own a run that this server was told about.
    pub fn others(&self) {
        count(&self.elsewhere);
    }

    /// Reports that there are orders for agents.
    pub fn orders(&self) {
        count(&self.orders);
    }

    /// Subscribes to orders for agents.
    #[must_use]
    pub fn listen_for_orders(&self) -> WakeReceiver {
        WakeReceiver(self.orders.subscribe())
    }

    /// Reports that a push was delivered.
    pub fn pushes(&self) {
        count(&self.pushes);
    }

    /// Subscribes to pushes that were delivered.
    #[must_use]
    pub fn listen_for_pushes(&self) -> WakeReceiver {
        WakeReceiver(self.pushes.subscribe())
    }

    /// Reports that a run has ended, so that its slot is free. The other loops are woken only if something waits for ends.
    pub fn run_ended(&self) {
        if self.awaited.load(Ordering::SeqCst) {
            self.now();
        } else {
            self.news.call(Calls { slots: true, ..Calls::default() });
            self.again();
        }
    }

    /// Records whether a deployment or a workspace job may wait for the end of any run.
    pub fn await_ends(&self, awaited: bool) {
        self.awaited.store(awaited, Ordering::SeqCst);
    }

    /// The steps that were reported since the last call.
    #[must_use]
    pub fn take_news(&self) -> HashSet<String> {
        self.news.take_all()
    }

    /// Those that cannot wait for the next look.
    #[must_use]
    pub fn take_urgent_news(&self) -> HashSet<String> {
        self.news.take_urgent()
    }

    /// Whether anything but news was reported since the last call of `take_calls`.
    #[must_use]
    pub fn is_called(&self) -> bool {
        self.news.calls() != Calls::default()
    }

    /// What else was reported since the last call.
    #[must_use]
    pub fn take_calls(&self) -> Calls {
        self.news.take_calls()
    }

    /// Subscribes to all wake-ups of this server.
    #[must_use]
    pub fn listen(&self) -> WakeReceiver {
        WakeReceiver(self.runs.subscribe())
    }

    /// Subscribes to those that concern more than runs.
    #[must_use]
    pub fn listen_for_plans(&self) -> WakeReceiver {
        WakeReceiver(self.plans.subscribe())
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
    use std::time::Duration;

    use super::{Calls, Wake};

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn an_end_wakes_the_engine_and_lines_wait_for_the_next_look() {
        let wake = Wake::default();
        let mut woken = wake.listen();
        wake.lines("a");
        wake.lines("a");
        assert!(tokio::time::timeout(SOON, woken.wait()).await.is_err());
        assert!(wake.take_urgent_news().is_empty());
        wake.clone().step("b");
        woken.wait().await;
        assert!(wake.take_urgent_news().contains("b"));
        wake.step("b");
        let mut names: Vec<_> = wake.take_news().into_iter().collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        assert!(wake.take_news().is_empty());
        assert_eq!(wake.take_calls(), Calls::default());
    }

    #[tokio::test]
    async fn the_end_of_a_run_wakes_all_loops_only_if_it_is_awaited() {
        let wake = Wake::default();
        let (mut runs, mut plans, mut others) = (wake.listen(), wake.listen_for_plans(), wake.listen_for_others());
        wake.run_ended();
        runs.wait().await;
        plans.wait().await;
        others.wait().await;
        assert_eq!(wake.take_calls(), Calls::ALL, "until it is known");
        wake.await_ends(false);
        wake.run_ended();
        runs.wait().await;
        assert_eq!(wake.take_calls(), Calls { requests: false, slots: true });
        assert!(tokio::time::timeout(SOON, plans.wait()).await.is_err());
        assert!(tokio::time::timeout(SOON, others.wait()).await.is_err());
    }
}
