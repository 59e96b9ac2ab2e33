//! Reads the output of a process line by line.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::process_step::ProcessStep;
use crate::clock::Clock;
use crate::runner::line::{LINE_BYTES, Stream};

/// How long a process that left the group may keep the output open after the step has ended.
pub(super) const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// Waits for a reader. A reader whose buffer is full gets more time; one that waits for output is aborted at the deadline.
pub(super) async fn wait_for_reader(
    step: &ProcessStep,
    mut reader: tokio::task::JoinHandle<()>,
    deadline: tokio::time::Instant,
) {
    loop {
        if tokio::time::timeout(Duration::from_millis(100), &mut reader).await.is_ok() {
            return;
        }
        if !step.memory.is_full() && tokio::time::Instant::now() > deadline {
            reader.abort();
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these tasks end with the process that they watch")]
pub(super) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

pub(super) async fn read(
    step: Arc<ProcessStep>,
    clock: Clock,
    stream: Stream,
    mut output: Box<dyn AsyncRead + Send + Unpin>,
) {
    let mut rest: Vec<u8> = Vec::new();
    let mut buffer = vec![0; LINE_BYTES];
    loop {
        let count = output.read(&mut buffer).await.unwrap_or(0);
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        rest.extend_from_slice(bytes);
        while let Some(end) = line_end(&rest) {
            let line: Vec<u8> = rest.drain(..end).collect();
            push(&step, &clock, stream, &line).await;
        }
    }
    if !rest.is_empty() {
        push(&step, &clock, stream, &rest).await;
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().take(LINE_BYTES).position(|byte| *byte == b'\n') {
        Some(place) => Some(place + 1),
        None => (bytes.len() >= LINE_BYTES).then_some(LINE_BYTES),
    }
}

async fn push(step: &ProcessStep, clock: &Clock, stream: Stream, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\r']).to_owned();
    step.memory.push(clock.now(), stream, text).await;
}
