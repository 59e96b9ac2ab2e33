//! The logs of Jobs: followed while their pods run, and buffered until the engine has stored them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Client;
use tokio::task::AbortHandle;

use super::job_status::is_over;
use super::pod_log_stream::PodLogStream;
use super::watch::Watch;
use crate::liveness::wake::Wake;
use crate::runner::interface::Unavailable;
use crate::runner::line::Lines;
use crate::runner::line_buffer::{END_PATIENCE, LineBuffer};

struct Following {
    reader: Arc<LineBuffer>,
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
        if self.watch.job(namespace, job).is_none_or(|job| is_over(&job)) {
            reader.step_ended();
        }
        // Lines that were stored before this server followed the log are skipped.
        reader.read(skip, limit, END_PATIENCE).await
    }

    pub(super) fn lines_stored(&self, handle: &str, lines: u64) {
        if let Some(following) = self.all().get(handle) {
            following.reader.drop_stored(lines);
        }
    }

    fn reader(&self, handle: &str, (namespace, job): (&str, &str), skip: u64) -> Arc<LineBuffer> {
        let mut all = self.all();
        if let Some(following) = all.get(handle)
            && following.reader.first() <= skip
        {
            return following.reader.clone();
        }
        let reader = Arc::new(LineBuffer::new(handle, self.wake.clone()));
        let follow = PodLogStream {
            client: self.client.clone(),
            watch: self.watch.clone(),
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
