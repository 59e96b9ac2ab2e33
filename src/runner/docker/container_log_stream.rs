//! Follows the log of a container to its end, and reads each entry once.
//!
//! An engine may end a followed stream before the log ends, and a connection may break. The log is then read from a moment before
//! the last entry, and the entries that are known are skipped. After the end of the container, its last entry tells whether anything is missing.

use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;

use super::engine::Engine;
use super::engine_reply::{Entry, entry, progress, unavailable};
use crate::runner::interface::Unavailable;
use crate::runner::line::{Line, Stream};
use crate::runner::line_buffer::LineBuffer;
use crate::runner::line_splitter::{LineSplitter, Piece};
use crate::runner::log_position::{LogPosition, New, Resumed};
use crate::runner::step_state::StepState;

/// How many entries are taken at once, if as many are there.
const ENTRIES: usize = 1000;

/// The pauses between attempts to read a log that cannot be read: the first one, and the longest one.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often, and for how long, the end of a container is looked for after the end of its log.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(50);

/// How much earlier than the last entry a log is read again. The entries of one stream are in the order of their times, but the engine
/// may store two streams a moment apart.
const OVERLAP: TimeDelta = TimeDelta::seconds(1);

pub(super) struct ContainerLogStream {
    pub(super) engine: Arc<Engine>,
    pub(super) name: String,
    pub(super) buffer: Arc<LineBuffer>,
}

/// What is left of a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Runs,
    HasEnded,
    IsGone,
}

/// What was received of a log.
#[derive(Default)]
struct Received {
    stdout: Source,
    stderr: Source,
    last: Option<Mark>,
}

/// One of the two streams.
#[derive(Default)]
struct Source {
    left: LogPosition,
    splitter: LineSplitter,
}

/// What distinguishes an entry from others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    stream: Stream,
    at: DateTime<Utc>,
    bytes: usize,
    /// The parts of a line have the same time.
    ends_line: bool,
}

impl ContainerLogStream {
    pub(super) async fn run(self) {
        let (mut received, mut pause) = (Received::default(), PAUSE);
        loop {
            let before = received.last;
            match self.read_on(&mut received).await {
                Ok(true) => break,
                Ok(false) => self.buffer.recover(),
                Err(Unavailable(reason)) => self.buffer.fail(reason),
            }
            pause = if received.last == before { (pause * 2).min(LONGEST_PAUSE) } else { PAUSE };
            tokio::time::sleep(pause).await;
        }
        let rest = [(Stream::Stdout, received.stdout), (Stream::Stderr, received.stderr)];
        self.buffer.push(rest.into_iter().filter_map(|(stream, mut source)| source.rest(stream))).await;
        self.buffer.recover();
        self.buffer.end();
    }

    /// Reads until the stream ends. Returns whether the log was read to its end.
    async fn read_on(&self, received: &mut Received) -> Result<bool, Unavailable> {
        let mut container = self.container().await?;
        if container == Container::Runs {
            self.stream(received, true).await?;
            for _ in 0..LOOKS {
                container = self.container().await?;
                if container != Container::Runs {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(match container {
            Container::Runs => false,
            Container::IsGone => true,
            Container::HasEnded => {
                let is_whole = match received.last {
                    Some(last) => self.is_last(last).await?,
                    None => false,
                };
                if !is_whole {
                    self.stream(received, false).await?;
                }
                true
            }
        })
    }

    async fn container(&self) -> Result<Container, Unavailable> {
        Ok(match self.engine.state(&self.name).await? {
            None => Container::IsGone,
            Some(state) if matches!(progress(&state), StepState::Exited { .. }) => Container::HasEnded,
            Some(_) => Container::Runs,
        })
    }

    async fn stream(&self, received: &mut Received, follow: bool) -> Result<(), Unavailable> {
        let options = options().follow(follow).since(received.since()).build();
        let mut batches = Box::pin(self.open(options).await?.ready_chunks(ENTRIES));
        let mut resumed = (Resumed::after(received.stdout.left), Resumed::after(received.stderr.left));
        while let Some(batch) = batches.next().await {
            let (mut lines, mut end) = (Vec::new(), Ok(()));
            for entry in batch {
                match entry {
                    Ok(entry) => received.add(entry, &mut resumed, &mut lines),
                    Err(error) => end = Err(error),
                }
            }
            self.buffer.push(lines).await;
            end?;
        }
        Ok(())
    }

    /// Whether an entry is the last one of the log.
    async fn is_last(&self, known: Mark) -> Result<bool, Unavailable> {
        let mut entries = Box::pin(self.open(options().tail("1").build()).await?);
        let mut last = None;
        while let Some(entry) = entries.next().await {
            last = Some(Mark::of(&entry?));
        }
        Ok(last.is_none_or(|last| last.ends_line && last == known))
    }

    async fn open(
        &self,
        options: LogsOptions,
    ) -> Result<impl futures_util::Stream<Item = Result<Entry, Unavailable>> + use<>, Unavailable> {
        let outputs = self.engine.client().await?.logs(&self.name, Some(options));
        let broken = || Unavailable("Docker engine: the log broke off".into());
        Ok(outputs.map(move |output| entry(output.map_err(unavailable)?).ok_or_else(broken)))
    }
}

fn options() -> LogsOptionsBuilder {
    LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true)
}

impl Received {
    /// The time from which the log is read again, in seconds; 0 is its beginning.
    fn since(&self) -> i32 {
        let last = self.stdout.left.at.max(self.stderr.left.at);
        last.and_then(|at| i32::try_from((at - OVERLAP).timestamp()).ok()).unwrap_or(0)
    }

    /// Adds the lines that an entry completes, unless it is known.
    fn add(&mut self, entry: Entry, resumed: &mut (Resumed, Resumed), lines: &mut Vec<Line>) {
        let mark = Mark::of(&entry);
        let Entry { stream, at, text } = entry;
        let (source, resumed) = match stream {
            Stream::Stdout => (&mut self.stdout, &mut resumed.0),
            Stream::Stderr => (&mut self.stderr, &mut resumed.1),
        };
        let Some(New { at, text, begins }) = resumed.new_in(Some(at), &text) else { return };
        self.last = Some(mark);
        if begins {
            // Only if the rest of the line before is lost.
            lines.extend(source.rest(stream));
        }
        source.left.advance(at, text);
        let line = |Piece { text, open }| Line { at, stream, text, open };
        lines.extend(source.splitter.add(text).into_iter().map(line));
    }
}

impl Source {
    /// The line that has no end.
    fn rest(&mut self, stream: Stream) -> Option<Line> {
        let at = self.left.at.unwrap_or_default();
        self.splitter.finish().map(|Piece { text, open }| Line { at, stream, text, open })
    }
}

impl Mark {
    fn of(entry: &Entry) -> Self {
        let Entry { stream, at, text } = entry;
        Self { stream: *stream, at: *at, bytes: text.len(), ends_line: text.ends_with(b"\n") }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::DateTime;

    use super::{Entry, Received, Resumed, Stream};

    /// Adds what an engine sends for a log that is opened at the place where reading stopped.
    fn read(received: &mut Received, log: &[(Stream, i64, &'static str)], lines: &mut Vec<String>) {
        let mut resumed = (Resumed::after(received.stdout.left), Resumed::after(received.stderr.left));
        let (since, mut new) = (received.since(), Vec::new());
        for (stream, millis, text) in log.iter().filter(|(_, millis, _)| millis / 1000 >= i64::from(since)) {
            let at = DateTime::from_timestamp_millis(*millis).unwrap();
            received.add(
                Entry { stream: *stream, at, text: Bytes::from_static(text.as_bytes()) },
                &mut resumed,
                &mut new,
            );
        }
        lines.extend(new.into_iter().map(|line| line.text));
    }

    /// The engine stores the streams a moment apart, several entries at once, and long lines in parts.
    #[test]
    fn each_entry_is_read_once_wherever_a_stream_breaks() {
        use Stream::{Stderr, Stdout};
        let log = [
            (Stdout, 1_000, "one\n"),
            (Stdout, 4_000, "two\n"),
            (Stderr, 3_990, "a moment earlier\n"),
            (Stdout, 4_000, "two\n"),
            (Stdout, 5_500, "a long "),
            (Stderr, 5_490, "between\n"),
            (Stdout, 5_500, "line\n"),
            (Stderr, 5_499, "earlier\n"),
            (Stdout, 9_000, "end\n"),
        ];
        let mut whole = Vec::new();
        read(&mut Received::default(), &log, &mut whole);
        assert_eq!(whole, ["one", "two", "a moment earlier", "two", "between", "a long line", "earlier", "end"]);
        for first in 0..=log.len() {
            for second in first..=log.len() {
                let (mut received, mut lines) = (Received::default(), Vec::new());
                for part in [&log[..first], &log[..second], &log[..], &log[..]] {
                    read(&mut received, part, &mut lines);
                }
                assert_eq!(lines, whole, "broken after {first} and {second}");
            }
        }
    }
}
