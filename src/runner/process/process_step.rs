//! A step that runs as a process on this machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::runner::memory::MemoryStep;

pub(super) struct ProcessStep {
    pub(super) memory: MemoryStep,
    pub(super) group: Mutex<Option<Pid>>,
    /// Whether only the first process gets the signal to end.
    pub(super) interrupt: bool,
}

impl ProcessStep {
    pub(super) fn group(&self) -> MutexGuard<'_, Option<Pid>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signal(&self, signal: Signal) {
        if let Some(group) = *self.group() {
            // The group may have ended already.
            let _gone = kill_process_group(group, signal);
        }
    }

    /// Signals the step to end.
    pub(super) fn ask(&self) {
        match *self.group() {
            Some(first) if self.interrupt => {
                let _gone = kill_process(first, Signal::INT);
            }
            Some(group) => {
                let _gone = kill_process_group(group, Signal::TERM);
            }
            None => {}
        }
    }
}
