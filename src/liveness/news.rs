//! What runners report about steps, by name: that a step has started or ended, or has new lines. News are hints: a lost one only
//! costs time, because every run is looked at every few seconds.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The names of the steps that something happened to since they were taken last.
#[derive(Clone, Default)]
pub(super) struct News(Arc<Mutex<HashSet<String>>>);

impl News {
    pub(super) fn add(&self, step: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(step) {
            names.insert(step.to_owned());
        }
    }

    pub(super) fn take(&self) -> HashSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
