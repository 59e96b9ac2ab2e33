//! Reads of jobs on PostgreSQL. Those that are requested while another one is under way are sent together, as one statement: what a
//! single row costs the server and the database is mostly its way there and back.

use std::sync::{Arc, Mutex, PoisonError};

use entity::id::JobId;
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, sqlx};
use tokio::sync::oneshot;

use super::job_view::{JobView, views_by_ids};

/// How many jobs one statement reads.
const TOGETHER: usize = 64;

/// How many statements are under way at once.
const UNDER_WAY: usize = 2;

type Answer = Result<Option<JobView>, DbErr>;

#[derive(Default)]
struct Queue {
    requests: Vec<(JobId, oneshot::Sender<Answer>)>,
    readers: usize,
}

/// The reads that wait for their turn.
#[derive(Clone, Default)]
pub(super) struct JobReads(Arc<Mutex<Queue>>);

impl JobReads {
    /// One job, as it is stored at some time after this call.
    pub(super) async fn read(&self, db: &DatabaseConnection, id: JobId) -> Answer {
        let (request, answer) = oneshot::channel();
        if let Some(reader) = self.enqueue(id, request) {
            let db = db.clone();
            #[expect(clippy::disallowed_methods, reason = "ends with the last read that waits")]
            tokio::spawn(async move { reader.work(&db).await });
        }
        // A request is dropped only with the runtime.
        answer.await.unwrap_or_else(|_| Err(DbErr::Query(RuntimeErr::SqlxError(Arc::new(sqlx::Error::WorkerCrashed)))))
    }

    /// Returns a new reader, unless there are enough.
    fn enqueue(&self, id: JobId, request: oneshot::Sender<Answer>) -> Option<Reader> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.requests.push((id, request));
        if queue.readers >= UNDER_WAY {
            return None;
        }
        queue.readers += 1;
        Some(Reader { reads: self.clone(), works: true })
    }
}

/// A task that reads what is requested, until nothing is.
struct Reader {
    reads: JobReads,
    works: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.works {
            return;
        }
        let mut queue = self.reads.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.readers = queue.readers.saturating_sub(1);
        // Nobody else would answer them.
        if queue.readers == 0 {
            queue.requests.clear();
        }
    }
}

impl Reader {
    async fn work(mut self, db: &DatabaseConnection) {
        while let Some(requests) = self.take() {
            let mut ids: Vec<JobId> = requests.iter().map(|(id, _)| *id).collect();
            ids.sort_unstable();
            ids.dedup();
            let views = views_by_ids(db, &ids).await;
            for (id, request) in requests {
                let answer = match &views {
                    Ok(views) => Ok(views.iter().find(|view| view.id == id).cloned()),
                    Err(error) => Err(error.clone()),
                };
                // Whoever asked may be gone.
                let _gone = request.send(answer);
            }
        }
    }

    /// The requests of the next statement; `None` if there are none, which ends the reader.
    fn take(&mut self) -> Option<Vec<(JobId, oneshot::Sender<Answer>)>> {
        let mut queue = self.reads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.requests.is_empty() {
            queue.readers = queue.readers.saturating_sub(1);
            self.works = false;
            return None;
        }
        let some = queue.requests.len().min(TOGETHER);
        Some(queue.requests.drain(..some).collect())
    }
}
