//! The lines of a step between its reader and the engine: the reader waits while there is no room, and a line is dropped when the
//! engine has stored it.
//!
//! This is the one place where a reader tells that a step has lines, or that its log has ended.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::interface::Unavailable;
use super::line::{BATCH_BYTES, Line, Lines};
use crate::liveness::wake::Wake;

/// How many bytes of lines are buffered; the last line may exceed them. While one batch is stored, the next one is read.
const BUFFER_BYTES: usize = 2 * BATCH_BYTES;

/// How long a read waits for the rest of the log of an ended step.
pub(super) const END_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct State {
    /// The number of the first line in `lines`.
    first: u64,
    lines: VecDeque<Line>,
    /// The size of all lines.
    bytes: usize,
    /// How many lines are stored. A reader that begins with the first line of a log adds some of them again.
    stored: u64,
    /// Whether the step has ended, so that its log is about to end.
    over: bool,
    /// Whether the log has ended.
    ended: bool,
    /// Why the log cannot be read at the moment.
    failure: Option<String>,
    /// Whether lines were reported that nobody has taken since.
    reported: bool,
}

pub(super) struct LineBuffer {
    /// The name of the step.
    step: String,
    state: Mutex<State>,
    /// Signals that lines were dropped.
    room: Notify,
    /// Signals lines, or the end.
    news: Notify,
    /// Woken when half of the buffer is in use, so that the lines are read before the reader has to wait, and at the end. Fewer lines are
    /// reported once, and wait for the next look.
    wake: Wake,
}

impl State {
    fn is_full(&self) -> bool {
        self.bytes >= BUFFER_BYTES
    }

    fn add(&mut self, line: Line) {
        if self.first < self.stored {
            self.first += 1;
            return;
        }
        self.bytes += line.bytes();
        self.lines.push_back(line);
    }

    fn drop_stored(&mut self, lines: u64) {
        self.stored = self.stored.max(lines);
        while self.first < self.stored
            && let Some(line) = self.lines.pop_front()
        {
            self.first += 1;
            self.bytes -= line.bytes();
        }
    }

    /// How many lines the next batch has.
    fn batch(&self, limit: usize) -> usize {
        let mut bytes = 0;
        let fits = |line: &&Line| {
            let before = bytes;
            bytes += line.bytes();
            before < BATCH_BYTES
        };
        self.lines.iter().take(limit).take_while(fits).count()
    }

    fn take(&mut self, count: usize) -> Lines {
        self.reported = false;
        let lines = self.lines.iter().take(count).cloned().collect();
        Lines { lines, end: self.ended && count == self.lines.len() }
    }
}

impl LineBuffer {
    pub(super) fn new(step: &str, wake: Wake) -> Self {
        Self { step: step.to_owned(), state: Mutex::default(), room: Notify::new(), news: Notify::new(), wake }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reader has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.lock().is_full()
    }

    /// How many lines the log has so far.
    pub(super) fn count(&self) -> u64 {
        let state = self.lock();
        state.first + state.lines.len() as u64
    }

    /// Adds lines; waits until there is room for all of them.
    pub(super) async fn push(&self, lines: impl IntoIterator<Item = Line>) {
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let room = self.room.notified();
            let (is_new, is_half_full) = {
                let mut state = self.lock();
                let before = state.bytes;
                while !state.is_full()
                    && let Some(line) = lines.next()
                {
                    state.add(line);
                }
                let is_new = state.bytes > 0 && !state.reported;
                state.reported |= is_new;
                (is_new, before < BUFFER_BYTES / 2 && state.bytes >= BUFFER_BYTES / 2)
            };
            self.news.notify_waiters();
            if is_half_full {
                self.wake.step(&self.step);
            } else if is_new {
                self.wake.lines(&self.step);
            }
            if lines.peek().is_some() {
                room.await;
            }
        }
    }

    /// Records why the log cannot be read at the moment.
    pub(super) fn fail(&self, reason: String) {
        self.lock().failure = Some(reason);
    }

    /// Records that the log can be read again.
    pub(super) fn recover(&self) {
        self.lock().failure = None;
    }

    /// Records that the step has ended.
    pub(super) fn step_ended(&self) {
        self.lock().over = true;
    }

    /// Records that no line will be added.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.news.notify_waiters();
        self.wake.step(&self.step);
    }

    /// Drops the first `lines`, which are stored.
    pub(super) fn drop_stored(&self, lines: u64) {
        self.lock().drop_stored(lines);
        self.room.notify_waiters();
    }

    /// The number of the first line that can be read.
    pub(super) fn first(&self) -> u64 {
        self.lock().first
    }

    /// The lines after the first `skip`, which are dropped.
    pub(super) fn take(&self, skip: u64, limit: usize) -> Lines {
        self.drop_stored(skip);
        let mut state = self.lock();
        let count = state.batch(limit);
        state.take(count)
    }

    /// The lines after the first `skip`, which are dropped. If the step has ended, waits until they are a full batch, or the log ends.
    pub(super) async fn read(&self, skip: u64, limit: usize, patience: Duration) -> Result<Lines, Unavailable> {
        self.drop_stored(skip);
        let deadline = Instant::now() + patience;
        loop {
            let news = self.news.notified();
            {
                let mut state = self.lock();
                let count = state.batch(limit);
                // A batch ends before the last line only if it is full.
                let is_full = count == limit || count < state.lines.len() || state.is_full();
                let is_late = Instant::now() >= deadline;
                // The end of the log is lost.
                if let Some(reason) = state.failure.clone().filter(|_| state.ended && count == 0) {
                    return Err(Unavailable(reason));
                }
                if !state.over || state.ended || is_full || (is_late && count > 0) {
                    return Ok(state.take(count));
                }
                if is_late {
                    let stalled = || format!("the log of {} stalled before its end", self.step);
                    return Err(Unavailable(state.failure.clone().unwrap_or_else(stalled)));
                }
            }
            let _late = tokio::time::timeout_at(deadline, news).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::{BATCH_BYTES, BUFFER_BYTES, LineBuffer};
    use crate::liveness::wake::Wake;
    use crate::runner::line::{Line, Stream};

    const LONG: Duration = Duration::from_secs(60);

    fn line(text: impl Into<String>) -> Line {
        Line { at: DateTime::UNIX_EPOCH, stream: Stream::Stdout, text: text.into(), open: false }
    }

    fn texts(lines: &super::Lines) -> Vec<&str> {
        lines.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[tokio::test]
    async fn lines_stay_until_they_are_stored() {
        let buffer = LineBuffer::new("step", Wake::default());
        buffer.push(["a", "b", "c"].map(line)).await;
        assert_eq!(texts(&buffer.take(0, 2)), ["a", "b"]);
        assert_eq!(texts(&buffer.take(0, 2)), ["a", "b"], "nothing was stored");
        buffer.drop_stored(1);
        assert_eq!((texts(&buffer.take(1, 5)), buffer.first()), (vec!["b", "c"], 1));
        buffer.end();
        assert!(!buffer.take(1, 1).end && buffer.take(1, 2).end && buffer.take(3, 2).end);
    }

    /// A few lines wait for the next look; the end of a log does not.
    #[tokio::test]
    async fn lines_are_reported_once_until_they_are_taken() {
        let wake = Wake::default();
        let (buffer, mut woken) = (LineBuffer::new("step", wake.clone()), wake.listen());
        let reported = || wake.take_news().contains("step");
        for text in ["a", "b", "c"] {
            buffer.push([line(text)]).await;
            assert_eq!(reported(), text == "a");
        }
        assert_eq!(buffer.take(0, 2).lines.len(), 2);
        buffer.push([line("d")]).await;
        assert!(reported());
        buffer.drop_stored(10);
        assert!(buffer.take(10, 2).lines.is_empty());
        for text in ["of another server"; 6] {
            buffer.push([line(text)]).await;
            assert!(!reported());
        }
        assert!(futures_util::poll!(std::pin::pin!(woken.wait())).is_pending());
        buffer.end();
        woken.wait().await;
        assert!(reported());
    }

    /// The reader of a server that takes over begins with the first line of the log.
    #[tokio::test]
    async fn lines_that_another_server_stored_take_no_room() {
        let buffer = LineBuffer::new("step", Wake::default());
        assert!(buffer.take(100, 10).lines.is_empty());
        for _ in 0..102 {
            buffer.push([line("x".repeat(BUFFER_BYTES / 50))]).await;
            assert!(!buffer.is_full());
        }
        assert_eq!(buffer.take(100, 10).lines.len(), 2);
    }

    #[tokio::test]
    async fn a_reader_waits_while_there_is_no_room() {
        let buffer = LineBuffer::new("step", Wake::default());
        let mut woken = buffer.wake.listen();
        let many: Vec<Line> = vec![line("x".repeat(BATCH_BYTES / 2)); 10];
        let mut push = std::pin::pin!(buffer.push(many));
        assert!(futures_util::poll!(&mut push).is_pending() && buffer.is_full());
        // Once, although several lines were added behind the middle.
        woken.wait().await;
        assert!(futures_util::poll!(std::pin::pin!(woken.wait())).is_pending());
        let (mut stored, mut is_done) = (0, false);
        loop {
            is_done = is_done || futures_util::poll!(&mut push).is_ready();
            let taken = buffer.take(stored, 1000);
            stored += taken.lines.len() as u64;
            assert!(taken.lines.len() <= 2, "a batch has a size");
            if is_done && taken.lines.is_empty() {
                break;
            }
        }
        assert_eq!(stored, 10);
    }

    #[tokio::test]
    async fn the_end_of_a_log_is_awaited() {
        let buffer = LineBuffer::new("step", Wake::default());
        buffer.push([line("a")]).await;
        assert!(!buffer.read(0, 10, LONG).await.unwrap().end, "a running step is not waited for");
        buffer.step_ended();
        let (read, ()) = tokio::join!(buffer.read(0, 10, LONG), async {
            buffer.push([line("b")]).await;
            buffer.end();
        });
        let read = read.unwrap();
        assert_eq!((texts(&read), read.end), (vec!["a", "b"], true));
        let stalled = LineBuffer::new("step", Wake::default());
        stalled.step_ended();
        assert!(stalled.read(0, 10, Duration::ZERO).await.is_err());
        stalled.fail("the node does not answer".into());
        assert_eq!(stalled.read(0, 10, Duration::ZERO).await.unwrap_err().0, "the node does not answer");
        stalled.push([line("late")]).await;
        assert_eq!(texts(&stalled.read(0, 10, Duration::ZERO).await.unwrap()), ["late"]);
        stalled.end();
        assert!(
            stalled.read(0, 10, Duration::ZERO).await.unwrap().end
                && stalled.read(1, 10, Duration::ZERO).await.is_err(),
            "its end is lost"
        );
        stalled.recover();
        assert!(stalled.read(1, 10, Duration::ZERO).await.unwrap().end);
    }
}
