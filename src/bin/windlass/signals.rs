//! The signals that end a server.

use tokio::signal::unix::{Signal, SignalKind, signal};
use windlass::error::{Error, Result};

/// SIGTERM and SIGINT. They are caught from its creation on; one that arrives while nobody waits is kept for the next wait.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    /// When the system refuses to register a handler.
    pub(crate) fn new() -> Result<Self> {
        let of = |kind| signal(kind).map_err(Error::internal);
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
