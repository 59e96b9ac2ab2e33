//! Buffers the lines of a Job until the engine has stored them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::runner::line::{BATCH_BYTES, Line};

/// How many lines of one Job are buffered; reading resumes once some have been taken.
const HELD: usize = 20_000;

/// How many bytes of lines of one Job are buffered; the last line may exceed them.
const HELD_BYTES: usize = 2 * BATCH_BYTES;

#[derive(Default)]
pub(super) struct BufferState {
    /// The number of the first line in the buffer.
    pub(super) first: u64,
    pub(super) lines: VecDeque<Line>,
    /// The length of all lines.
    bytes: usize,
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

impl BufferState {
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= HELD || self.bytes >= HELD_BYTES
    }

    /// Drops the lines before the one with this number.
    pub(super) fn drop_before(&mut self, number: u64) {
        while self.first < number
            && let Some(line) = self.lines.pop_front()
        {
            self.first += 1;
            self.bytes -= line.text.len();
        }
    }
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
                if !buffer.is_full() {
                    buffer.bytes += line.text.len();
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
