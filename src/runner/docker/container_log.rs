//! The logs of containers, read by line number.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::engine::Engine;
use super::engine_reply::{entry, progress, unavailable};
use super::log_news::reported;
use crate::liveness::wake::Wake;
use crate::runner::interface::Unavailable;
use crate::runner::line::{BATCH_BYTES, Line, Lines, Stream};
use crate::runner::line_splitter::{LineSplitter, Piece};
use crate::runner::step_state::StepState;

/// How long a read waits for the next line.
const LOG_PATIENCE: Duration = Duration::from_millis(20);

/// How long a read waits for the first line of a newly opened log, and for the end of the log of an ended container.
const LOG_OPEN_PATIENCE: Duration = Duration::from_secs(2);

/// How long a call reads: less than the time limit of a call, so that it always gets somewhere.
const LONGEST_READ: Duration = Duration::from_secs(3);

type LogStream = Pin<Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// How a log was opened. Only a log that was opened after its container had ended is read to its actual end: an engine
/// may end a followed stream early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    WhileItRuns,
    ToTheEnd,
}

/// An open log, and how many of its lines were read.
struct LogReader {
    position: u64,
    follow: Follow,
    stream: LogStream,
    /// Lines that were received, but not read yet.
    waiting: VecDeque<Line>,
    /// The last lines that were read. The caller may ask for some of them again, because it could not store them yet.
    given: Vec<Line>,
    stdout: LineSplitter,
    stderr: LineSplitter,
    /// Lines until this time were read before, by their number in a log whose beginning the engine no longer has.
    known_until: Option<DateTime<Utc>>,
    /// The time of the first line of the log, once it was received.
    first_at: Option<DateTime<Utc>>,
    /// The time of the last entry.
    last_at: DateTime<Utc>,
}

/// The times of the lines that were read of a log, to notice when the engine drops its beginning.
#[derive(Clone, Copy)]
struct Known {
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

/// Open logs by container name.
pub(super) struct ContainerLogs {
    wake: Wake,
    readers: Mutex<HashMap<String, LogReader>>,
    known: Mutex<HashMap<String, Known>>,
}

/// What a reader got next.
enum Next {
    Line(Line),
    /// Nothing within the patience.
    Nothing,
    End,
}

impl ContainerLogs {
    pub(super) fn new(wake: Wake) -> Self {
        Self { wake, readers: Mutex::default(), known: Mutex::default() }
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<String, LogReader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, name: &str) {
        self.readers().remove(name);
        self.known().remove(name);
    }

    /// Up to `limit` lines after the first `skip`. Skipping a large log takes several calls, each of which returns no line.
    pub(super) async fn read(
        &self,
        engine: &Engine,
        name: &str,
        skip: u64,
        limit: usize,
    ) -> Result<Lines, Unavailable> {
        let ended = match engine.state(name).await? {
            None => return Ok(Lines { lines: Vec::new(), end: true }),
            Some(state) => matches!(progress(&state), StepState::Exited { .. }),
        };
        let follow = if ended { Follow::ToTheEnd } else { Follow::WhileItRuns };
        let open = self.readers().remove(name).filter(|reader| reader.follow == follow);
        let mut reader = match open.and_then(|reader| reader.back_to(skip)) {
            Some(reader) => reader,
            None => LogReader::open(engine, name, follow, &self.wake).await?,
        };
        let known = self.known().get(name).copied();
        let until = Instant::now() + LONGEST_READ;
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < limit && bytes < BATCH_BYTES && Instant::now() < until {
            let is_skipping = reader.position < skip || reader.known_until.is_some();
            let patience = if ended || is_skipping { LOG_OPEN_PATIENCE } else { LOG_PATIENCE };
            match reader.next(patience).await? {
                Next::Line(line) => {
                    if !reader.is_known(&line, known, skip) {
                        bytes += line.text.len();
                        lines.push(line);
                    }
                }
                Next::End if reader.position < skip && known.is_none() => {
                    return Err(Unavailable(format!("the log of {name} has fewer lines than were already read")));
                }
                Next::End => {
                    self.remember(name, reader.first_at, &lines);
                    return Ok(Lines { lines, end: ended });
                }
                Next::Nothing if is_skipping || (ended && lines.is_empty()) => {
                    return Err(Unavailable(format!("the log of {name} stalled before its end")));
                }
                Next::Nothing => break,
            }
        }
        self.remember(name, reader.first_at, &lines);
        reader.given = last(&lines);
        self.readers().insert(name.to_owned(), reader);
        Ok(Lines { lines, end: false })
    }

    /// The first line of the log may have been read before this server followed it.
    fn remember(&self, name: &str, first_at: Option<DateTime<Utc>>, lines: &[Line]) {
        let (Some(first_at), Some(last)) = (first_at, lines.iter().map(|line| line.at).max()) else { return };
        let mut known = self.known();
        let known = known.entry(name.to_owned()).or_insert(Known { first_at, last_at: last });
        known.last_at = known.last_at.max(last);
    }
}

/// The last lines of a batch, as far as they may be asked for again.
fn last(lines: &[Line]) -> Vec<Line> {
    let mut bytes = 0;
    let fits = lines.iter().rev().take_while(|line| {
        bytes += line.text.len();
        bytes <= BATCH_BYTES
    });
    let kept = lines.len() - fits.count();
    lines.get(kept..).unwrap_or_default().to_vec()
}

impl LogReader {
    async fn open(engine: &Engine, name: &str, follow: Follow, wake: &Wake) -> Result<Self, Unavailable> {
        let client = engine.client().await?;
        let options = LogsOptionsBuilder::default()
            .follow(follow == Follow::WhileItRuns)
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .build();
        let log = client.logs(name, Some(options));
        let stream: LogStream = match follow {
            Follow::WhileItRuns => Box::pin(reported(log, name.to_owned(), wake.clone())),
            Follow::ToTheEnd => Box::pin(log),
        };
        Ok(Self {
            position: 0,
            follow,
            stream,
            waiting: VecDeque::new(),
            given: Vec::new(),
            stdout: LineSplitter::default(),
            stderr: LineSplitter::default(),
            known_until: None,
            first_at: None,
            last_at: DateTime::UNIX_EPOCH,
        })
    }

    /// The reader, ready for the lines after the first `skip`; none if it has to start again for them.
    fn back_to(mut self, skip: u64) -> Option<Self> {
        let Some(again) = self.position.checked_sub(skip).and_then(|count| usize::try_from(count).ok()) else {
            return Some(self);
        };
        if self.known_until.is_some() {
            return None;
        }
        let kept = self.given.len().checked_sub(again)?;
        for line in self.given.drain(kept..).rev() {
            self.waiting.push_front(line);
        }
        self.position = skip;
        Some(self)
    }

    /// The next line.
    async fn next(&mut self, patience: Duration) -> Result<Next, Unavailable> {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return Ok(Next::Line(line));
            }
            match tokio::time::timeout(patience, self.stream.next()).await {
                Ok(Some(Ok(output))) => {
                    let (stream, at, bytes) = entry(output);
                    self.last_at = at;
                    let splitter = match stream {
                        Stream::Stdout => &mut self.stdout,
                        Stream::Stderr => &mut self.stderr,
                    };
                    let line = |Piece { text, open }| Line { at, stream, text, open };
                    self.waiting.extend(splitter.add(&bytes).into_iter().map(line));
                }
                Ok(Some(Err(error))) => return Err(unavailable(error)),
                // The rest of a log that is still being written is read again.
                Ok(None) if self.follow == Follow::WhileItRuns => return Ok(Next::End),
                Ok(None) => {
                    let at = self.last_at;
                    let rests = [(Stream::Stdout, self.stdout.finish()), (Stream::Stderr, self.stderr.finish())];
                    for (stream, piece) in rests {
                        self.waiting.extend(piece.map(|Piece { text, open }| Line { at, stream, text, open }));
                    }
                    if self.waiting.is_empty() {
                        return Ok(Next::End);
                    }
                }
                Err(_) => return Ok(Next::Nothing),
            }
        }
    }

    /// Whether a line was read before. Lines are counted; but if the engine has dropped the beginning of the log, their times decide.
    fn is_known(&mut self, line: &Line, known: Option<Known>, skip: u64) -> bool {
        if self.first_at.replace(self.first_at.unwrap_or(line.at)).is_none()
            && let Some(known) = known.filter(|known| skip > 0 && known.first_at != line.at)
        {
            self.known_until = Some(known.last_at);
        }
        match self.known_until {
            Some(until) if line.at <= until => return true,
            Some(_) => {
                self.known_until = None;
                self.position = skip;
            }
            None if self.position < skip => {
                self.position += 1;
                return true;
            }
            None => {}
        }
        self.position += 1;
        false
    }
}
