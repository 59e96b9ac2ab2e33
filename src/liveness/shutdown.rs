//! The shutdown of this server: whether it has begun, and which runs were asked to stop because of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use entity::id::RunId;

#[derive(Default)]
struct ShutdownState {
    begun: AtomicBool,
    interrupted: Mutex<HashSet<RunId>>,
}

/// The shutdown of this server. It lives in memory: the runs that it interrupts end with the server.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<ShutdownState>);

impl Shutdown {
    /// Records that the server is shutting down: from now on it starts no runs.
    pub fn begin(&self) {
        self.0.begun.store(true, Ordering::SeqCst);
    }

    /// Whether the server is shutting down.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// Records that a run was asked to stop. Returns false if it was asked before.
    pub fn interrupt(&self, run: RunId) -> bool {
        self.0.interrupted.lock().unwrap_or_else(PoisonError::into_inner).insert(run)
    }

    /// Whether a run was asked to stop because of the shutdown.
    #[must_use]
    pub fn interrupted(&self, run: RunId) -> bool {
        self.0.interrupted.lock().unwrap_or_else(PoisonError::into_inner).contains(&run)
    }
}
