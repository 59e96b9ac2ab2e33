//! Follows the logs of the pods of a Job, one after the other: each pod is an attempt.
//!
//! A stream that breaks is resumed after the last line that was received, by the timestamps that Kubernetes adds to the
//! lines.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::io::AsyncBufRead;
use futures_util::{AsyncBufReadExt as _, AsyncReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::LogParams;
use kube::{Api, Client, ResourceExt as _};

use super::api_error::reason_of;
use super::job_status::{container, has_begun, has_ended, is_over};
use super::object_labels::CONTAINER;
use super::watch::Watch;
use crate::runner::line::{LINE_BYTES, Line, Stream};
use crate::runner::line_buffer::LineBuffer;
use crate::runner::line_splitter::{LineSplitter, Piece};
use crate::runner::log_position::{LogPosition, New, Resumed};

/// How often to check for new and ended pods.
const LOOK: Duration = Duration::from_millis(200);

/// How often reading the log of an ended pod is retried before giving up.
const TRIES: u32 = 5;

/// How often the log of an ended pod that ends in the middle of a line is read before that is taken for its end. A node
/// ends the last line of each log, unless it is so busy that it loses what the container wrote last.
const PART_READS: u32 = 25;

/// How much of a line is read at once, in bytes: the longest line and its timestamp.
const LONGEST: u64 = LINE_BYTES as u64 + 64;

pub(super) struct PodLogStream {
    pub(super) client: Client,
    pub(super) watch: Arc<Watch>,
    pub(super) namespace: String,
    pub(super) job: String,
    pub(super) reader: Arc<LineBuffer>,
}

impl PodLogStream {
    pub(super) async fn run(self) {
        let mut read = HashSet::new();
        loop {
            let job = self.watch.job(&self.namespace, &self.job);
            let over = job.is_none_or(|job| is_over(&job));
            let pods = self.watch.pods(&self.namespace, &self.job);
            let next = pods.iter().find(|pod| !read.contains(&pod.name_any()));
            match next {
                Some(pod) if has_begun(pod) => {
                    self.read_pod(pod).await;
                    read.insert(pod.name_any());
                }
                // The pod never started.
                Some(pod) if has_ended(pod) || over => {
                    read.insert(pod.name_any());
                }
                None if over => break,
                Some(_) | None => tokio::time::sleep(LOOK).await,
            }
        }
        self.reader.end();
    }

    /// Reads the log of one pod to its end.
    async fn read_pod(&self, pod: &Pod) {
        let name = pod.name_any();
        let mut left = LogPosition::default();
        let mut splitter = LineSplitter::default();
        let (mut failures, mut unchanged) = (0, 0);
        loop {
            let had_ended = self.ended(&name);
            let before = left;
            let read = self.stream(&name, &mut left, &mut splitter).await;
            unchanged = if had_ended && before == left { unchanged + 1 } else { 0 };
            match read {
                // A busy node may end the stream before it has written the last lines, so the log is read until nothing is added.
                Ok(()) if unchanged >= if left.is_in_line() { PART_READS } else { 1 } => break,
                Ok(()) => {
                    self.reader.recover();
                    failures = 0;
                }
                Err(reason) => {
                    failures = if before == left { failures + 1 } else { 0 };
                    let gone = self.find(&name).is_none();
                    self.reader.fail(reason);
                    // If the pod is gone or its node does not answer, the rest of the log is lost.
                    if gone || (had_ended && failures >= TRIES) {
                        break;
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        self.push(left.at, splitter.finish()).await;
    }

    async fn push(&self, at: Option<DateTime<Utc>>, pieces: impl IntoIterator<Item = Piece>) {
        let line = |Piece { text, open }| Line { at: at.unwrap_or_default(), stream: Stream::Stdout, text, open };
        self.reader.push(pieces.into_iter().map(line)).await;
    }

    fn find(&self, name: &str) -> Option<Arc<Pod>> {
        self.watch.pods(&self.namespace, &self.job).into_iter().find(|pod| pod.name_any() == name)
    }

    /// Whether the container has ended, so that nothing more is added to its log than what its node has not written yet.
    fn ended(&self, name: &str) -> bool {
        self.find(name).is_none_or(|pod| {
            let state = container(&pod).and_then(|container| container.state.as_ref());
            state.is_none_or(|state| state.running.is_none()) || has_ended(&pod)
        })
    }

    /// Reads until the stream ends. A line that is not complete then stays in the splitter: the next stream goes on with it.
    async fn stream(&self, name: &str, left: &mut LogPosition, splitter: &mut LineSplitter) -> Result<(), String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let since_time = left.at.and_then(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true).parse::<Timestamp>().ok());
        let params = LogParams {
            container: Some(CONTAINER.into()),
            follow: true,
            timestamps: true,
            since_time,
            ..LogParams::default()
        };
        let stream = pods.log_stream(name, &params).await.map_err(|e| reason_of(&e))?;
        let mut stream = std::pin::pin!(stream);
        let mut resumed = Resumed::after(*left);
        loop {
            let next = next_line(&mut stream, resumed.is_in_line()).await.map_err(|error| error.to_string())?;
            let Some((stamp, text)) = next else { return Ok(()) };
            let Some(New { at, text, begins }) = resumed.new_in(stamp, &text) else { continue };
            if begins {
                // Only if the rest of the line before is lost.
                self.push(left.at, splitter.finish()).await;
            }
            left.advance(at, text);
            self.push(Some(at), splitter.add(text)).await;
        }
    }
}

/// The next line and its timestamp. The line ends with a line feed, except for the first part of a longer one, and the end of the
/// stream. The rest of a longer line (`in_line`) has no timestamp.
async fn next_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    in_line: bool,
) -> std::io::Result<Option<(Option<DateTime<Utc>>, Vec<u8>)>> {
    let mut bytes = Vec::new();
    if stream.take(LONGEST).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    if in_line {
        return Ok(Some((None, bytes)));
    }
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (stamp, text) = bytes.split_at(space);
    let at = std::str::from_utf8(stamp).ok().and_then(|stamp| DateTime::parse_from_rfc3339(stamp.trim_end()).ok());
    Ok(Some(match at {
        Some(at) => (Some(at.to_utc()), text.get(1..).unwrap_or(b"\n").to_vec()),
        None => (None, bytes),
    }))
}
