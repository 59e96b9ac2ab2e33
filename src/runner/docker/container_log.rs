//! The logs of containers: followed while they run, and buffered until the engine has stored them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::container_log_stream::ContainerLogStream;
use super::engine::Engine;
use super::engine_reply::progress;
use crate::liveness::wake::Wake;
use crate::runner::interface::Unavailable;
use crate::runner::line::Lines;
use crate::runner::line_buffer::{END_PATIENCE, LineBuffer};
use crate::runner::step_state::StepState;

/// A log that is being followed.
struct Following {
    buffer: Arc<LineBuffer>,
    task: AbortHandle,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The logs that are being followed, by the names of their containers.
pub(super) struct ContainerLogs {
    engine: Arc<Engine>,
    wake: Wake,
    following: Mutex<HashMap<String, Following>>,
}

impl ContainerLogs {
    pub(super) fn new(engine: Arc<Engine>, wake: Wake) -> Self {
        Self { engine, wake, following: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Arc<LineBuffer>> {
        self.all().get(name).map(|following| Arc::clone(&following.buffer))
    }

    pub(super) fn forget(&self, name: &str) {
        self.all().remove(name);
    }

    /// Records that a container has ended, so that its log is about to end.
    pub(super) fn container_ended(&self, name: &str) {
        if let Some(buffer) = self.find(name) {
            buffer.step_ended();
        }
    }

    pub(super) fn lines_stored(&self, name: &str, lines: u64) {
        if let Some(buffer) = self.find(name) {
            buffer.drop_stored(lines);
        }
    }

    /// Up to `limit` lines after the first `skip`.
    pub(super) async fn read(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let buffer = match self.find(name).filter(|buffer| buffer.first() <= skip) {
            Some(buffer) => buffer,
            None => {
                let Some(state) = self.engine.state(name).await? else {
                    return Ok(Lines { lines: Vec::new(), end: true });
                };
                let buffer = self.follow(name);
                if matches!(progress(&state), StepState::Exited { .. }) {
                    buffer.step_ended();
                }
                buffer
            }
        };
        let read = buffer.read(skip, limit, END_PATIENCE).await?;
        if read.end && buffer.first() < skip {
            return Err(Unavailable(format!("the log of {name} has fewer lines than were already read")));
        }
        Ok(read)
    }

    /// Begins to follow a log, from its first line.
    fn follow(&self, name: &str) -> Arc<LineBuffer> {
        let buffer = Arc::new(LineBuffer::new(name, self.wake.clone()));
        let stream =
            ContainerLogStream { engine: Arc::clone(&self.engine), name: name.to_owned(), buffer: Arc::clone(&buffer) };
        #[expect(clippy::disallowed_methods, reason = "kept in `following`, which ends it")]
        let task = tokio::spawn(stream.run()).abort_handle();
        self.all().insert(name.to_owned(), Following { buffer: Arc::clone(&buffer), task });
        buffer
    }
}
