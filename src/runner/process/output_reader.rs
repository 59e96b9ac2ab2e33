//! Reads the output of a process line by line.
//!
//! One task reads both streams in turn. Two pipes do not tell the order in which they were written to, so lines are in the order in
//! which they arrive here: what is written a moment later is read later.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

use super::process_step::ProcessStep;
use crate::clock::Clock;
use crate::runner::line::{Line, Stream};
use crate::runner::line_buffer::LineBuffer;
use crate::runner::line_splitter::{LineSplitter, Piece};

/// How long a process that left the group may keep the output open after the step has ended, without writing to it.
pub(super) const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// How long a line may stay incomplete before its part is shown: a prompt, or a progress display.
const PART: Duration = Duration::from_millis(100);

/// How much is read at once. Small pieces keep the two streams closer together, so more is read only while one of them is silent.
const READ_BYTES: usize = 4096;
const MOST_READ_BYTES: usize = 64 * 1024;

/// Waits for the reader. While its buffer is full, or it reads something, it gets more time, because a pipe may hold more than the buffer,
/// and whoever stores the lines may be slow; if it only waits for output, it is aborted after the grace period.
pub(super) async fn wait_for_reader(lines: &LineBuffer, mut reader: tokio::task::JoinHandle<()>) {
    let (mut count, mut deadline) = (lines.count(), Instant::now() + OUTPUT_GRACE);
    loop {
        if tokio::time::timeout(Duration::from_millis(100), &mut reader).await.is_ok() {
            return;
        }
        let now = lines.count();
        if lines.is_full() || now != count {
            (count, deadline) = (now, Instant::now() + OUTPUT_GRACE);
        } else if Instant::now() > deadline {
            reader.abort();
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these tasks end with the process that they watch")]
pub(super) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

type Output = Option<Box<dyn AsyncRead + Send + Unpin>>;

/// One of the two streams.
struct Source {
    stream: Stream,
    /// None after its end.
    output: Output,
    splitter: LineSplitter,
    buffer: Vec<u8>,
    /// Whether the last read filled the buffer.
    has_more: bool,
    read_at: Instant,
}

impl Source {
    fn new(stream: Stream, output: Output) -> Self {
        let buffer = vec![0; READ_BYTES];
        Self { stream, output, splitter: LineSplitter::default(), buffer, has_more: false, read_at: Instant::now() }
    }

    /// Reads the next bytes, and returns the lines that they complete. Loses nothing if it is dropped while it waits.
    async fn read(&mut self) -> Vec<Piece> {
        let Some(output) = &mut self.output else { return std::future::pending().await };
        let count = output.read(&mut self.buffer).await.unwrap_or(0);
        self.read_at = Instant::now();
        self.has_more = count == self.buffer.len();
        match self.buffer.get(..count).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => self.splitter.add(bytes),
            None => {
                self.output = None;
                self.splitter.finish().into_iter().collect()
            }
        }
    }

    /// Adapts how much is read next, after this stream was read and the other one had nothing.
    fn adapt(&mut self) {
        match self.has_more {
            true => self.buffer.resize((self.buffer.len() * 2).min(MOST_READ_BYTES), 0),
            false => self.read_little(),
        }
    }

    fn read_little(&mut self) {
        self.buffer.truncate(READ_BYTES);
        self.buffer.shrink_to_fit();
    }

    /// When the part of a line is shown that nothing completes until then.
    fn part_at(&self) -> Option<Instant> {
        self.splitter.has_part().then(|| self.read_at + PART)
    }

    fn take_part(&mut self, now: Instant) -> Vec<Piece> {
        if self.part_at().is_none_or(|at| now < at) {
            return Vec::new();
        }
        // What is left of it is half a character.
        self.read_at = now + Duration::from_secs(3600);
        self.splitter.take_part().into_iter().collect()
    }
}

/// Reads both streams to their ends.
pub(super) async fn read(step: Arc<ProcessStep>, clock: Clock, stdout: Output, stderr: Output) {
    let mut sources = (Source::new(Stream::Stdout, stdout), Source::new(Stream::Stderr, stderr));
    // The source that is asked first, because the other one was read last.
    let (mut first, mut second) = (&mut sources.0, &mut sources.1);
    while first.output.is_some() || second.output.is_some() {
        let part_at = [first.part_at(), second.part_at()].into_iter().flatten().min();
        let wait = async {
            match part_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            pieces = first.read() => {
                push(&step, &clock, first.stream, pieces).await;
                first.read_little();
                second.read_little();
                std::mem::swap(&mut first, &mut second);
            }
            pieces = second.read() => {
                push(&step, &clock, second.stream, pieces).await;
                second.adapt();
            }
            () = wait => {
                let now = Instant::now();
                for source in [&mut *first, &mut *second] {
                    let pieces = source.take_part(now);
                    push(&step, &clock, source.stream, pieces).await;
                }
            }
        }
    }
}

async fn push(step: &ProcessStep, clock: &Clock, stream: Stream, pieces: Vec<Piece>) {
    let at = clock.now();
    let line = |Piece { text, open }| Line { at, stream, text, open };
    step.memory.lines.push(pieces.into_iter().map(line)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use chrono::DateTime;
    use tokio::time::Instant;

    use super::{OUTPUT_GRACE, spawn, wait_for_reader};
    use crate::liveness::wake::Wake;
    use crate::runner::line::{Line, Stream};
    use crate::runner::line_buffer::LineBuffer;

    /// A slow reader reads what a process left in its pipe, however long that takes.
    #[tokio::test]
    async fn a_reader_that_reads_gets_more_time() {
        let lines = Arc::new(LineBuffer::new("step", Wake::default()));
        let read = Arc::clone(&lines);
        let reader = spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let line = Line { at: DateTime::UNIX_EPOCH, stream: Stream::Stdout, text: "x".into(), open: false };
                read.push([line]).await;
            }
        });
        wait_for_reader(&lines, reader).await;
        assert_eq!(lines.count(), 10);
    }

    #[tokio::test]
    async fn a_reader_that_only_waits_is_ended() {
        let (lines, begin) = (LineBuffer::new("step", Wake::default()), Instant::now());
        wait_for_reader(&lines, spawn(std::future::pending())).await;
        assert!(begin.elapsed() >= OUTPUT_GRACE);
    }
}
