//! The logs of Jobs: followed while their pods run, and buffered until the engine has stored them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::job_status::is_over;
use super::log_buffer::LogBuffer;
use super::pod_log_stream::PodLogStream;
use super::watch::Watch;
use crate::liveness::wake::Wake;
use crate::runner::interface::Unavailable;
use crate::runner::line::{Line, Lines};

/// How long a reader waits for a line.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long a reader waits for the end of the log of an ended Job.
const END_PATIENCE: Duration = Duration::from_secs(2);

struct Following {
    reader: Arc<LogBuffer>,
    task: AbortHandle,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The logs that are being followed, by step name.
pub(super) struct PodLogs {
    client: Client,
    watch: Arc<Watch>,
    wake: Wake,
    following: Mutex<HashMap<String, Following>>,
}

impl PodLogs {
    pub(super) fn new(client: Client, watch: Arc<Watch>, wake: Wake) -> Self {
        Self { client, watch, wake, following: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, handle: &str) {
        self.all().remove(handle);
    }

    /// Whether a log is being followed.
    pub(super) fn holds(&self, handle: &str) -> bool {
        self.all().contains_key(handle)
    }

    /// Up to `limit` lines after the first `skip`.
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
                buffer.drop_before(skip);
                reader.room.notify_one();
                // Lines that were stored before this server followed the log are skipped.
                let there = buffer.first == skip;
                let enough =
                    there && !buffer.lines.is_empty() && (buffer.lines.len() >= limit || buffer.is_full() || !over);
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

    fn reader(&self, handle: &str, (namespace, job): (&str, &str), skip: u64) -> Arc<LogBuffer> {
        let mut all = self.all();
        if let Some(following) = all.get(handle)
            && following.reader.lock().first <= skip
        {
            return following.reader.clone();
        }
        let reader = Arc::new(LogBuffer { buffer: Mutex::default(), news: Notify::new(), room: Notify::new() });
        let follow = PodLogStream {
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
