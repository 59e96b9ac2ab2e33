//! The logs of Jobs: followed while their pods run, and kept here until the engine has stored them.
//!
//! Every pod is an attempt; their logs are one behind the other. A stream that breaks is taken up again behind the last
//! line that came, told by the times that Kubernetes puts before the lines.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::io::AsyncBufRead;
use futures_util::{AsyncBufReadExt as _, AsyncReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::LogParams;
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::objects::CONTAINER;
use super::status::{container, has_begun, has_ended, is_over};
use super::watch::Watch;
use super::wire::reason_of;
use crate::liveness::wake::Wake;
use crate::runner::{LINE_BYTES, Line, Lines, Stream, Unavailable};

/// How many lines of one Job are held; its writer is read on when they were taken.
const HELD: usize = 20_000;
/// How often it is looked whether a pod is there, or has ended.
const LOOK: Duration = Duration::from_millis(200);
/// How long a reader waits for a line.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a reader waits for the end of a log whose Job has ended.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// How often a log that cannot be read is tried again before the next pod's is.
const TRIES: u32 = 5;

#[derive(Default)]
struct Buffer {
    /// The number of the first line that is held.
    first: u64,
    lines: VecDeque<Line>,
    ended: bool,
    /// Why it does not go on at the moment.
    failure: Option<String>,
}

struct Reader {
    buffer: Mutex<Buffer>,
    /// A line came, or the end.
    news: Notify,
    /// Lines were taken.
    room: Notify,
}

impl Reader {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn push(&self, line: Line) {
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

struct Following {
    reader: Arc<Reader>,
    task: AbortHandle,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The logs that are read.
pub(super) struct Logs {
    client: Client,
    watch: Arc<Watch>,
    wake: Wake,
    following: Mutex<HashMap<String, Following>>,
}

impl Logs {
    pub(super) fn new(client: Client, watch: Arc<Watch>, wake: Wake) -> Self {
        Self { client, watch, wake, following: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, handle: &str) {
        self.all().remove(handle);
    }

    /// Whether something of a log is held here.
    pub(super) fn holds(&self, handle: &str) -> bool {
        self.all().contains_key(handle)
    }

    /// The lines behind the first `skip`.
    pub(super) async fn read(
        &self,
        handle: &str,
        (namespace, job): (&str, &str),
        skip: u64,
        limit: usize,
    ) -> Result<Lines, Unavailable> {
        let reader = self.reader(handle, (namespace, job), skip);
        let over = self.watch.job(namespace, job).is_none_or(|job| is_over(&job));
        let patience = if over { END_PATIENCE } else { PATIENCE };
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let news = reader.news.notified();
            {
                let mut buffer = reader.lock();
                while buffer.first < skip && buffer.lines.pop_front().is_some() {
                    buffer.first += 1;
                }
                reader.room.notify_one();
                // Lines that were stored before this server followed the log are passed over.
                let there = buffer.first == skip;
                let enough = there && !buffer.lines.is_empty() && (buffer.lines.len() >= limit || !over);
                if enough || buffer.ended || tokio::time::Instant::now() >= deadline {
                    if let Some(reason) = buffer.failure.clone().filter(|_| over && buffer.lines.is_empty()) {
                        return Err(Unavailable(reason));
                    }
                    let lines: Vec<Line> =
                        if there { buffer.lines.iter().take(limit).cloned().collect() } else { Vec::new() };
                    let end = buffer.ended && (!there || lines.len() == buffer.lines.len());
                    return Ok(Lines { lines, end });
                }
            }
            let _timeout = tokio::time::timeout_at(deadline, news).await;
        }
    }

    fn reader(&self, handle: &str, (namespace, job): (&str, &str), skip: u64) -> Arc<Reader> {
        let mut all = self.all();
        if let Some(following) = all.get(handle)
            && following.reader.lock().first <= skip
        {
            return following.reader.clone();
        }
        let reader = Arc::new(Reader { buffer: Mutex::default(), news: Notify::new(), room: Notify::new() });
        let follow = Follow {
            client: self.client.clone(),
            watch: self.watch.clone(),
            wake: self.wake.clone(),
            namespace: namespace.to_owned(),
            job: job.to_owned(),
            reader: reader.clone(),
        };
        #[expect(clippy::disallowed_methods, reason = "kept in `following`, which ends it")]
        let task = tokio::spawn(follow.run()).abort_handle();
        all.insert(handle.to_owned(), Following { reader: reader.clone(), task });
        reader
    }
}

struct Follow {
    client: Client,
    watch: Arc<Watch>,
    wake: Wake,
    namespace: String,
    job: String,
    reader: Arc<Reader>,
}

/// Where the log of a pod was left: the time of its last line, and how many lines of that time came.
#[derive(Default)]
struct Left {
    at: Option<DateTime<Utc>>,
    same: usize,
}

impl Follow {
    async fn run(self) {
        let mut read = HashSet::new();
        loop {
            let job = self.watch.job(&self.namespace, &self.job);
            let over = job.is_none_or(|job| is_over(&job));
            let pods = self.watch.pods(&self.namespace, &self.job);
            let next = pods.iter().find(|pod| !read.contains(&pod.name_any()));
            match next {
                Some(pod) if has_begun(pod) => {
                    self.whole(pod).await;
                    read.insert(pod.name_any());
                }
                // It never began.
                Some(pod) if has_ended(pod) || over => {
                    read.insert(pod.name_any());
                }
                None if over => break,
                Some(_) | None => tokio::time::sleep(LOOK).await,
            }
        }
        self.reader.lock().ended = true;
        self.reader.news.notify_one();
        self.wake.here();
    }

    /// The log of one pod to its end.
    async fn whole(&self, pod: &Pod) {
        let name = pod.name_any();
        let mut left = Left::default();
        let mut failures = 0;
        loop {
            let had_ended = self.ended(&name);
            let before = (left.at, left.same);
            match self.stream(&name, &mut left).await {
                Ok(()) if had_ended => return,
                Ok(()) => failures = 0,
                Err(reason) => {
                    failures = if before == (left.at, left.same) { failures + 1 } else { 0 };
                    let gone = self.find(&name).is_none();
                    self.reader.lock().failure = Some(reason);
                    // What is left of a pod that is gone, or of a node that does not answer, is what came.
                    if gone || (had_ended && failures >= TRIES) {
                        return;
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Pod>> {
        self.watch.pods(&self.namespace, &self.job).into_iter().find(|pod| pod.name_any() == name)
    }

    /// Whether the container has ended: a log that is opened then ends with it.
    fn ended(&self, name: &str) -> bool {
        self.find(name).is_none_or(|pod| {
            let state = container(&pod).and_then(|container| container.state.as_ref());
            state.is_none_or(|state| state.running.is_none()) || has_ended(&pod)
        })
    }

    /// Reads until the stream ends.
    async fn stream(&self, name: &str, left: &mut Left) -> Result<(), String> {
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
        let (from, mut again) = (left.at, left.same);
        while let Some((at, text)) = next_line(&mut stream, left.at).await.map_err(|e| e.to_string())? {
            // Those that came before: earlier than the last one, or of its time.
            if from.is_some_and(|from| at < from) {
                continue;
            }
            if from == Some(at) && again > 0 {
                again -= 1;
                continue;
            }
            if left.at == Some(at) {
                left.same += 1;
            } else {
                *left = Left { at: Some(at), same: 1 };
            }
            for text in pieces(&text) {
                self.reader.push(Line { at, stream: Stream::Stdout, text }).await;
            }
            self.wake.here();
        }
        Ok(())
    }
}

/// The longest line that is read as one, in bytes; what follows is a line of its own.
const LONGEST: u64 = 1024 * 1024;

/// The next line, and when it was written.
async fn next_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    last: Option<DateTime<Utc>>,
) -> std::io::Result<Option<(DateTime<Utc>, Vec<u8>)>> {
    let mut bytes = Vec::new();
    if stream.take(LONGEST).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (stamp, text) = bytes.split_at(space);
    let at = std::str::from_utf8(stamp).ok().and_then(|stamp| DateTime::parse_from_rfc3339(stamp).ok());
    Ok(Some(match at {
        Some(at) => (at.to_utc(), text.get(1..).unwrap_or_default().to_vec()),
        // The rest of a longer line.
        None => (last.unwrap_or_default(), bytes),
    }))
}

/// A line in pieces of at most `LINE_BYTES`.
fn pieces(text: &[u8]) -> Vec<String> {
    if text.len() <= LINE_BYTES {
        return vec![String::from_utf8_lossy(text).into_owned()];
    }
    text.chunks(LINE_BYTES).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
}
