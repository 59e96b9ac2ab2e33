//! The state of a step that lives in this process, and its lines that have not been stored yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::line_buffer::LineBuffer;
use crate::liveness::wake::Wake;
use crate::runner::step_state::{StepState, StepTimes};

pub(super) struct MemoryStep {
    state: Mutex<MemoryState>,
    pub(super) lines: LineBuffer,
}

pub(super) struct MemoryState {
    pub(super) progress: StepState,
    pub(super) times: StepTimes,
    pub(super) stopping: bool,
}

impl MemoryStep {
    pub(super) fn new(name: &str, progress: StepState, started_at: DateTime<Utc>, wake: Wake) -> Self {
        let times = StepTimes { started_at: Some(started_at), finished_at: None, attempts: None };
        let state = Mutex::new(MemoryState { progress, times, stopping: false });
        Self { state, lines: LineBuffer::new(name, wake) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records and reports the end, after the last line.
    pub(super) fn end(&self, progress: StepState, at: DateTime<Utc>) {
        {
            let mut state = self.lock();
            state.times.finished_at = Some(at);
            state.progress = progress;
        }
        self.lines.end();
    }
}
