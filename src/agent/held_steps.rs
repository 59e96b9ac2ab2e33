//! The steps that this process of an agent has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::liveness::wake::{Wake, WakeReceiver};
use crate::runner::agent::protocol::HeldStep;

/// How often news about steps that can wait are spread.
const LOOK: Duration = Duration::from_millis(200);

/// One step.
#[derive(Default)]
pub(super) struct Held {
    /// Its runner has news about it.
    pub(super) news: Notify,
    pub(super) stopping: AtomicBool,
    /// How long it has to stop.
    pub(super) grace_seconds: AtomicU64,
    pub(super) removing: AtomicBool,
    /// It was stopped because this process ends.
    pub(super) interrupted: AtomicBool,
    /// Its end was reported.
    pub(super) reported: AtomicBool,
    task: Mutex<Option<AbortHandle>>,
}

impl Held {
    /// Keeps the task that follows the step.
    pub(super) fn follow(&self, task: AbortHandle) {
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Ends the task that follows the step.
    pub(super) fn abort(&self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

/// All of them, by name.
#[derive(Default)]
pub(super) struct HeldSteps {
    all: Mutex<HashMap<String, Arc<Held>>>,
    /// Signals that the server should be told what is held now.
    pub(super) changed: Notify,
}

impl HeldSteps {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Held>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step; none if it is held.
    pub(super) fn add(&self, name: &str) -> Option<Arc<Held>> {
        let mut all = self.all();
        if all.contains_key(name) {
            return None;
        }
        let held = Arc::new(Held::default());
        all.insert(name.to_owned(), Arc::clone(&held));
        Some(held)
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Held>> {
        self.all().get(name).cloned()
    }

    /// Forgets a step that was removed, and stops following it.
    pub(super) fn forget(&self, name: &str) {
        if let Some(held) = self.all().remove(name) {
            held.abort();
        }
        self.changed.notify_one();
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.all().keys().cloned().collect()
    }

    /// What the server is told, and how many of the steps have not ended.
    pub(super) fn told(&self) -> (Vec<HeldStep>, u32) {
        let all = self.all();
        let told = all.iter().map(|(name, held)| HeldStep {
            name: name.clone(),
            stopping: held.stopping.load(Ordering::SeqCst),
            removing: held.removing.load(Ordering::SeqCst),
        });
        let told = told.collect();
        let open = all.values().filter(|held| !held.reported.load(Ordering::SeqCst)).count();
        (told, u32::try_from(open).unwrap_or(u32::MAX))
    }

    /// Records that a step is stopped because this process ends.
    pub(super) fn interrupt(&self, name: &str) {
        if let Some(held) = self.find(name) {
            held.interrupted.store(true, Ordering::SeqCst);
            held.news.notify_one();
        }
    }

    /// Whether the end of one of these steps has not been reported.
    pub(super) fn has_unreported(&self, names: &[String]) -> bool {
        let all = self.all();
        names.iter().filter_map(|name| all.get(name)).any(|held| !held.reported.load(Ordering::SeqCst))
    }

    pub(super) fn abort_all(&self) {
        self.all().values().for_each(|held| held.abort());
    }

    /// Tells those who follow steps what their runner reports. Never returns.
    pub(super) async fn spread_news(&self, wake: &Wake) {
        let mut woken = wake.listen();
        loop {
            self.spread_some_news(wake, &mut woken).await;
        }
    }

    async fn spread_some_news(&self, wake: &Wake, woken: &mut WakeReceiver) {
        let _late = tokio::time::timeout(LOOK, woken.wait()).await;
        for name in wake.take_news() {
            if let Some(held) = self.find(&name) {
                held.news.notify_one();
            }
        }
    }

    /// The same until the ends of these steps were reported.
    pub(super) async fn spread_news_until_reported(&self, wake: &Wake, names: &[String]) {
        let mut woken = wake.listen();
        while self.has_unreported(names) {
            self.spread_some_news(wake, &mut woken).await;
        }
    }
}
