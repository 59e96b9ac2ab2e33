//! A step that runs as a process on this machine, under a supervisor.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::supervisor::{INTERRUPT, KILL, TERMINATE};
use crate::runner::memory::MemoryStep;

pub(super) struct ProcessStep {
    pub(super) memory: MemoryStep,
    /// The socket of the supervisor, while there is one.
    control: Mutex<Option<UnixStream>>,
    /// Whether only the first process gets the signal to end.
    interrupt: bool,
    /// Notified when the step is killed.
    pub(super) killed: Notify,
    /// Whether its supervisor has reported that no process is left.
    pub(super) gone: AtomicBool,
    /// The folder that it shares with other steps, while it may use it.
    pub(super) kept: OnceLock<PathBuf>,
}

impl ProcessStep {
    pub(super) fn new(memory: MemoryStep, interrupt: bool) -> Self {
        let (control, gone) = (Mutex::default(), AtomicBool::new(false));
        Self { memory, control, interrupt, killed: Notify::new(), gone, kept: OnceLock::new() }
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a supervisor was started that has not ended.
    pub(super) fn is_supervised(&self) -> bool {
        self.control().is_some()
    }

    fn order(&self, order: u8) {
        if let Some(control) = self.control().as_mut() {
            // A supervisor that has ended needs no order.
            let _sent = control.write_all(&[order]);
        }
    }

    /// Kills the step and everything it has started.
    pub(super) fn kill(&self) {
        self.order(KILL);
        self.killed.notify_one();
    }

    /// Signals the step to end.
    pub(super) fn ask(&self) {
        self.order(if self.interrupt { INTERRUPT } else { TERMINATE });
    }
}
