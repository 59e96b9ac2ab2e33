//! What runners report about steps, by name: that a step has started or ended, or has new lines; and what else a pass is called for.
//! News are hints: a lost one only costs time, because every run is looked at every few seconds.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a pass over runs is called for, besides news about steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// A run may have been queued, or its cancellation requested.
    pub requests: bool,
    /// A slot may have become free.
    pub slots: bool,
}

impl Calls {
    pub const ALL: Self = Self { requests: true, slots: true };
}

#[derive(Default)]
struct Reported {
    /// The steps that a pass should visit at once.
    urgent: HashSet<String>,
    /// Those that can wait for the next look.
    others: HashSet<String>,
    calls: Calls,
}

/// What was reported since it was taken last.
#[derive(Clone, Default)]
pub(super) struct News(Arc<Mutex<Reported>>);

impl News {
    fn lock(&self) -> MutexGuard<'_, Reported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, step: &str) {
        let mut reported = self.lock();
        if !reported.urgent.contains(step) {
            reported.urgent.insert(step.to_owned());
        }
    }

    pub(super) fn add_patient(&self, step: &str) {
        let mut reported = self.lock();
        if !reported.others.contains(step) {
            reported.others.insert(step.to_owned());
        }
    }

    pub(super) fn call(&self, calls: Calls) {
        let known = &mut self.lock().calls;
        known.requests |= calls.requests;
        known.slots |= calls.slots;
    }

    pub(super) fn calls(&self) -> Calls {
        self.lock().calls
    }

    pub(super) fn take_urgent(&self) -> HashSet<String> {
        std::mem::take(&mut self.lock().urgent)
    }

    pub(super) fn take_all(&self) -> HashSet<String> {
        let mut reported = self.lock();
        let mut all = std::mem::take(&mut reported.urgent);
        all.extend(std::mem::take(&mut reported.others));
        all
    }

    pub(super) fn take_calls(&self) -> Calls {
        std::mem::take(&mut self.lock().calls)
    }
}
