//! Finished answers that show a job. On SQLite they are kept, each for as long as none of its rows changes; on PostgreSQL, where
//! other servers write too, they are not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use entity::id::{JobId, OrganizationId};
use sea_orm::{DatabaseConnection, DbErr};

use super::job_reads::JobReads;
use super::job_view::{JobPlace, JobView, watched_view_by_id};
use crate::store::row_changes::{Changes, Moment, WatchedRow};

/// The bytes that are kept, in each of two generations.
const MOST: usize = 2 * 1024 * 1024;

/// What an entry costs besides its answer.
const ENTRY: usize = 256;

/// A finished answer, with what decides who may read it.
#[derive(Debug)]
pub struct JobAnswer {
    pub organization_id: OrganizationId,
    pub place: JobPlace,
    pub body: Bytes,
    /// The entity tag of the body, in quotes.
    pub tag: Bytes,
}

/// When the rows of an answer were read, and which ones.
struct Kept {
    answer: Arc<JobAnswer>,
    read: Moment,
    rows: Vec<WatchedRow>,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.answer.body.len() + ENTRY
    }
}

/// When the new generation is full, the old one is forgotten. What is used moves to the new one.
#[derive(Default)]
struct Generations {
    new: HashMap<JobId, Kept>,
    bytes: usize,
    old: HashMap<JobId, Kept>,
}

impl Generations {
    fn insert(&mut self, id: JobId, kept: Kept) {
        let bytes = kept.bytes();
        if bytes > MOST / 4 {
            return;
        }
        if self.bytes + bytes > MOST {
            self.old = std::mem::take(&mut self.new);
            self.bytes = 0;
        }
        self.remove(id);
        self.bytes += bytes;
        self.new.insert(id, kept);
    }

    fn get(&mut self, id: JobId) -> Option<&Kept> {
        if let Some(kept) = self.old.remove(&id) {
            self.insert(id, kept);
        }
        self.new.get(&id)
    }

    fn remove(&mut self, id: JobId) {
        self.old.remove(&id);
        if let Some(before) = self.new.remove(&id) {
            self.bytes = self.bytes.saturating_sub(before.bytes());
        }
    }
}

/// What an answer is made of: the rows, and a moment before they were read; `None` if it cannot be kept.
pub struct Basis(Option<(Moment, Vec<WatchedRow>)>);

/// The answers that are kept.
pub struct JobAnswers {
    changes: Option<Arc<Changes>>,
    reads: JobReads,
    kept: Mutex<Generations>,
}

impl JobAnswers {
    #[must_use]
    pub fn of(db: &DatabaseConnection) -> Self {
        Self { changes: Changes::of(db), reads: JobReads::default(), kept: Mutex::default() }
    }

    /// The answer for a job, if none of its rows has changed.
    #[must_use]
    pub fn get(&self, id: JobId) -> Option<Arc<JobAnswer>> {
        let changes = self.changes.as_ref()?;
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(id)?;
        if changes.unchanged_since(kept.read, &kept.rows) {
            return Some(Arc::clone(&kept.answer));
        }
        all.remove(id);
        None
    }

    /// Reads a job, whose answer is not kept.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn read(&self, db: &DatabaseConnection, id: JobId) -> Result<Option<(JobView, Basis)>, DbErr> {
        let Some(changes) = &self.changes else {
            return Ok(self.reads.read(db, id).await?.map(|view| (view, Basis(None))));
        };
        let read = changes.now();
        let found = watched_view_by_id(db, id).await?;
        Ok(found.map(|(view, rows)| (view, Basis(Some((read, rows))))))
    }

    /// Keeps an answer, if its rows have not changed in the meantime.
    pub fn keep(&self, id: JobId, answer: &Arc<JobAnswer>, basis: Basis) {
        let (Some(changes), Some((read, rows))) = (&self.changes, basis.0) else { return };
        if changes.unchanged_since(read, &rows) {
            let kept = Kept { answer: Arc::clone(answer), read, rows };
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(id, kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use entity::environment::Mode;
    use entity::id::{ClusterId, JobId, OrganizationId, ProjectId};

    use super::{Changes, ENTRY, Generations, JobAnswer, Kept, MOST};
    use crate::store::job::JobPlace;

    fn kept(bytes: usize) -> Kept {
        let place =
            JobPlace { cluster_id: ClusterId::create(), project_id: ProjectId::create(), mode: Mode::Development };
        let answer = JobAnswer {
            organization_id: OrganizationId::create(),
            place,
            body: Bytes::from(vec![0; bytes]),
            tag: Bytes::new(),
        };
        Kept { answer: Arc::new(answer), read: Changes::new().now(), rows: Vec::new() }
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let mut all = Generations::default();
        let (used, unused) = (JobId::create(), JobId::create());
        all.insert(used, kept(1000));
        all.insert(unused, kept(1000));
        for _ in 0..3 * MOST / (50_000 + ENTRY) {
            assert!(all.get(used).is_some());
            all.insert(JobId::create(), kept(50_000));
            let held: usize = all.new.values().chain(all.old.values()).map(Kept::bytes).sum();
            assert!(held <= 2 * MOST && all.bytes == all.new.values().map(Kept::bytes).sum::<usize>());
        }
        assert!(all.get(unused).is_none());
        all.insert(unused, kept(MOST));
        assert!(all.get(unused).is_none(), "it would displace all others");
        all.remove(used);
        assert!(all.get(used).is_none());
    }
}
