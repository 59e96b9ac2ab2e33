//! Buffers the lines of a Job until the engine has stored them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::runner::line::Line;

/// How many lines of one Job are buffered; reading resumes once some have been taken.
const HELD: usize = 20_000;

#[derive(Default)]
pub(super) struct BufferState {
    /// The number of the first line in the buffer.
    pub(super) first: u64,
    pub(super) lines: VecDeque<Line>,
    pub(super) ended: bool,
    /// Why the log cannot be read at the moment.
    pub(super) failure: Option<String>,
}

pub(super) struct LogBuffer {
    pub(super) buffer: Mutex<BufferState>,
    /// Signals a new line or the end.
    pub(super) news: Notify,
    /// Signals that lines were taken.
    pub(super) room: Notify,
}

impl LogBuffer {
    pub(super) fn lock(&self) -> MutexGuard<'_, BufferState> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn push(&self, line: Line) {
        loop {
            let room = self.room.notified();
            {
                let mut buffer = self.lock();
                if buffer.lines.len() < HELD {
                    buffer.lines.push_back(line);
                    buffer.failure = None;
                    break;
                }
            }
            room.await;
        }
        self.news.notify_one();
    }
}
