//! The logs of containers, read by line number.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;

use super::engine::Engine;
use super::engine_reply::{line, progress, unavailable};
use crate::runner::interface::Unavailable;
use crate::runner::line::Lines;
use crate::runner::step_state::StepState;

/// How long a read waits for the next line.
const LOG_PATIENCE: Duration = Duration::from_millis(20);

/// How long a read waits for the first line of a newly opened log, and for the end of the log of an ended container.
const LOG_OPEN_PATIENCE: Duration = Duration::from_secs(2);

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
}

/// Open logs by container name.
#[derive(Default)]
pub(super) struct ContainerLogs {
    readers: Mutex<HashMap<String, LogReader>>,
}

impl ContainerLogs {
    fn readers(&self) -> MutexGuard<'_, HashMap<String, LogReader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, name: &str) {
        self.readers().remove(name);
    }

    /// Up to `limit` lines after the first `skip`.
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
        let open = self.readers().remove(name).filter(|reader| reader.position == skip && reader.follow == follow);
        let mut reader = match open {
            Some(reader) => reader,
            None => open_log(engine, name, skip, follow).await?,
        };
        let patience = if ended { LOG_OPEN_PATIENCE } else { LOG_PATIENCE };
        let mut lines = Vec::new();
        while lines.len() < limit {
            match tokio::time::timeout(patience, reader.stream.next()).await {
                Ok(Some(Ok(output))) => lines.push(line(output)),
                Ok(Some(Err(error))) => return Err(unavailable(error)),
                Ok(None) => return Ok(Lines { lines, end: ended }),
                Err(_) if ended && lines.is_empty() => {
                    return Err(Unavailable(format!("the log of {name} stalled before its end")));
                }
                Err(_) => break,
            }
            reader.position += 1;
        }
        self.readers().insert(name.to_owned(), reader);
        Ok(Lines { lines, end: false })
    }
}

async fn open_log(engine: &Engine, name: &str, skip: u64, follow: Follow) -> Result<LogReader, Unavailable> {
    let client = engine.client().await?;
    let options = LogsOptionsBuilder::default()
        .follow(follow == Follow::WhileItRuns)
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .build();
    let mut reader = LogReader { position: 0, follow, stream: Box::pin(client.logs(name, Some(options))) };
    while reader.position < skip {
        match tokio::time::timeout(LOG_OPEN_PATIENCE, reader.stream.next()).await {
            Ok(Some(Ok(_))) => reader.position += 1,
            Ok(Some(Err(error))) => return Err(unavailable(error)),
            Ok(None) | Err(_) => {
                return Err(Unavailable(format!("the log of {name} has fewer lines than were already read")));
            }
        }
    }
    Ok(reader)
}
