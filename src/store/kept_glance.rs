//! What a loop found when it glanced at some tables.
//!
//! On SQLite it is kept until one of them changes, and a loop that waits for that costs an idle server nothing. On PostgreSQL, where
//! other servers write too, each glance is a query.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr};
use tokio::time::Instant;

use super::row_changes::{Changes, Moment, Watched, WatchedRow};

/// The maximum age of a kept result, so that a change made with another program is noticed, too.
const KEPT: Duration = Duration::from_secs(30);

/// The last glance at some tables.
pub struct KeptGlance<T> {
    changes: Option<Arc<Changes>>,
    tables: Vec<WatchedRow>,
    last: Option<(Moment, Instant, T)>,
}

impl<T: Clone> KeptGlance<T> {
    /// Nothing was found yet. Of each table, all rows are watched.
    #[must_use]
    pub fn of(db: &DatabaseConnection, tables: &[Watched]) -> Self {
        let tables = tables.iter().copied().map(WatchedRow::all).collect();
        Self { changes: Changes::of(db), tables, last: None }
    }

    /// What is found now. Asks `query` unless it is known to find the same.
    ///
    /// # Errors
    /// The error of `query`.
    pub async fn get(&mut self, query: impl AsyncFnOnce() -> Result<T, DbErr>) -> Result<T, DbErr> {
        let Some(changes) = &self.changes else { return query().await };
        if let Some((read, at, found)) = &self.last
            && at.elapsed() < KEPT
            && changes.unchanged_since(*read, &self.tables)
        {
            return Ok(found.clone());
        }
        let (read, at) = (changes.now(), Instant::now());
        let found = query().await?;
        self.last = Some((read, at, found.clone()));
        Ok(found)
    }

    /// Waits for `pause` after a glance at which nothing was due; and then, on SQLite, until one of the tables changes, but not longer
    /// than a result is kept.
    pub async fn rest(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
        if let (Some(changes), Some((read, at, _))) = (&self.changes, &self.last) {
            let _changed = tokio::time::timeout_at(*at + KEPT, changes.changed_since(*read, &self.tables)).await;
        }
    }
}
