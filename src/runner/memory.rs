//! The state of a step that lives in this process, and its lines that have not been read yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::liveness::wake::Wake;
use crate::runner::line::{BATCH_BYTES, Line, Lines};
use crate::runner::step_state::{StepState, StepTimes};

/// How many lines are buffered before the writer has to wait for a reader.
const BUFFER_LINES: usize = 10_000;

/// How many bytes of lines are buffered; the last line may exceed them.
const BUFFER_BYTES: usize = 2 * BATCH_BYTES;

pub(super) struct MemoryStep {
    state: Mutex<MemoryState>,
    consumed: Notify,
    name: String,
    /// Woken when the step ends, and when half of the buffer is in use, so that the lines are read before the writer has to wait.
    wake: Wake,
}

pub(super) struct MemoryState {
    pub(super) progress: StepState,
    pub(super) times: StepTimes,
    pub(super) stopping: bool,
    /// The number of the first line in `lines`.
    first: u64,
    lines: VecDeque<Line>,
    /// The length of all lines.
    bytes: usize,
    /// Whether lines were reported that nobody has read since.
    reported: bool,
}

impl MemoryState {
    fn is_full(&self) -> bool {
        self.lines.len() >= BUFFER_LINES || self.bytes >= BUFFER_BYTES
    }

    fn is_half_full(&self) -> bool {
        self.lines.len() >= BUFFER_LINES / 2 || self.bytes >= BUFFER_BYTES / 2
    }

    fn forget(&mut self, lines: u64) {
        while self.first < lines
            && let Some(line) = self.lines.pop_front()
        {
            self.first += 1;
            self.bytes -= line.text.len();
        }
    }
}

impl MemoryStep {
    pub(super) fn new(name: &str, progress: StepState, started_at: DateTime<Utc>, wake: Wake) -> Self {
        let times = StepTimes { started_at: Some(started_at), finished_at: None, attempts: None };
        let lines = VecDeque::new();
        let state = MemoryState { progress, times, stopping: false, first: 0, lines, bytes: 0, reported: false };
        Self { state: Mutex::new(state), consumed: Notify::new(), name: name.to_owned(), wake }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the writer has to wait for a reader.
    pub(super) fn is_full(&self) -> bool {
        self.lock().is_full()
    }

    /// Adds a line; waits until there is room.
    pub(super) async fn push(&self, line: Line) {
        loop {
            let room = self.consumed.notified();
            {
                let mut state = self.lock();
                if !state.is_full() {
                    let was_half_full = state.is_half_full();
                    state.bytes += line.text.len();
                    state.lines.push_back(line);
                    if !was_half_full && state.is_half_full() {
                        self.wake.step(&self.name);
                    } else if !state.reported {
                        self.wake.lines(&self.name);
                    }
                    state.reported = true;
                    return;
                }
            }
            room.await;
        }
    }

    /// Records and reports the end.
    pub(super) fn end(&self, progress: StepState, at: DateTime<Utc>) {
        {
            let mut state = self.lock();
            state.times.finished_at = Some(at);
            state.progress = progress;
        }
        self.wake.step(&self.name);
    }

    /// Drops the first `lines`, which are stored.
    pub(super) fn forget(&self, lines: u64) {
        self.lock().forget(lines);
        self.consumed.notify_waiters();
    }

    /// The lines after the first `skip`, which are dropped.
    pub(super) fn take(&self, skip: u64, limit: usize) -> Lines {
        let taken = {
            let mut state = self.lock();
            state.forget(skip);
            state.reported = false;
            let mut bytes = 0;
            let fits = |line: &&Line| {
                let before = bytes;
                bytes += line.text.len();
                before < BATCH_BYTES
            };
            let lines: Vec<Line> = state.lines.iter().take(limit).take_while(fits).cloned().collect();
            let over = !matches!(state.progress, StepState::Running | StepState::Starting { .. });
            let end = over && lines.len() == state.lines.len();
            Lines { lines, end }
        };
        self.consumed.notify_waiters();
        taken
    }
}
