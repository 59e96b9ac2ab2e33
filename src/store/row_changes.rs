//! Which rows of an SQLite database change, for caches that must never return an outdated row.
//!
//! SQLite reports each row that a statement writes, on the connection that writes it. From that report until the connection returns
//! to its pool, after its transaction has ended, the row counts as changing; nothing that is read in that time may be kept, and
//! nothing that was kept before may be used. A transaction that is rolled back only costs a second read. All writes of the server
//! are seen, because every connection of this process is watched, and no other process writes these tables.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use sea_orm::sqlx::{Error, SqliteConnection};
use sea_orm::{DatabaseConnection, DbBackend};
use tokio::sync::Notify;

/// The cells of single rows, which share them: a change of one row also counts as a change of the others in its cell.
const ROWS: usize = 1024;
/// Besides those of rows, each table that is watched as a whole has a cell.
const CELLS: usize = ROWS + WORD;
const WORD: usize = 64;

/// A table whose rows are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    Job,
    Environment,
    Cluster,
    Registry,
    // The rows of each of the following are one.
    /// The groups of annotations and labels.
    MetadataGroup,
    Alert,
    AlertCause,
    AlertDelivery,
    AlertRule,
    PushFeedback,
    RepositoryHead,
    Webhook,
    WebhookDelivery,
    WorkspacePush,
    WorkspaceWebhook,
}

/// All of them.
const ALL_WATCHED: [Watched; 15] = [
    Watched::Job,
    Watched::Environment,
    Watched::Cluster,
    Watched::Registry,
    Watched::MetadataGroup,
    Watched::Alert,
    Watched::AlertCause,
    Watched::AlertDelivery,
    Watched::AlertRule,
    Watched::PushFeedback,
    Watched::RepositoryHead,
    Watched::Webhook,
    Watched::WebhookDelivery,
    Watched::WorkspacePush,
    Watched::WorkspaceWebhook,
];

impl Watched {
    fn named(table: &str) -> Option<Self> {
        ALL_WATCHED.into_iter().find(|watched| watched.table() == table)
    }

    /// The name of its table.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Environment => "environment",
            Self::Cluster => "cluster",
            Self::Registry => "registry",
            Self::MetadataGroup => "metadata_group",
            Self::Alert => "alert",
            Self::AlertCause => "alert_cause",
            Self::AlertDelivery => "alert_delivery",
            Self::AlertRule => "alert_rule",
            Self::PushFeedback => "push_feedback",
            Self::RepositoryHead => "repository_head",
            Self::Webhook => "webhook",
            Self::WebhookDelivery => "webhook_delivery",
            Self::WorkspacePush => "workspace_push",
            Self::WorkspaceWebhook => "workspace_webhook",
        }
    }

    /// Whether all of its rows are one.
    fn is_whole(self) -> bool {
        !matches!(self, Self::Job | Self::Environment | Self::Cluster | Self::Registry)
    }
}

/// A row that something was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedRow(usize);

impl WatchedRow {
    #[must_use]
    pub fn new(table: Watched, rowid: i64) -> Self {
        if table.is_whole() {
            return Self(ROWS + table as usize);
        }
        let spread = rowid.unsigned_abs().wrapping_mul(4).wrapping_add(table as u64) % ROWS as u64;
        Self(usize::try_from(spread).unwrap_or_default())
    }

    /// All rows of a table that is watched as a whole.
    pub(super) fn all(table: Watched) -> Self {
        Self::new(table, 0)
    }
}

/// A moment between two changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

#[derive(Default)]
struct Cell {
    /// How many connections are changing a row of this cell.
    writers: AtomicU32,
    /// When the last of them was done.
    changed: AtomicU64,
}

/// The changes of one database.
pub struct Changes {
    cells: Vec<Cell>,
    now: AtomicU64,
    /// How many connections are changing any watched row.
    writers: AtomicUsize,
    /// Wakes those who wait until a table that is watched as a whole has changed.
    tables: Notify,
}

/// The changes of all databases of this process, by file. Held weakly: the connections hold them.
static ALL: LazyLock<Mutex<HashMap<PathBuf, Weak<Changes>>>> = LazyLock::new(Mutex::default);

impl Changes {
    pub(super) fn new() -> Self {
        let cells = std::iter::repeat_with(Cell::default).take(CELLS).collect();
        Self { cells, now: AtomicU64::new(0), writers: AtomicUsize::new(0), tables: Notify::new() }
    }

    /// The changes of a database; `None` unless it is an SQLite database that was opened by `store::connect`.
    #[must_use]
    pub fn of(db: &DatabaseConnection) -> Option<Arc<Self>> {
        if db.get_database_backend() != DbBackend::Sqlite {
            return None;
        }
        let options = db.get_sqlite_connection_pool().connect_options();
        ALL.lock().unwrap_or_else(PoisonError::into_inner).get(options.get_filename()).and_then(Weak::upgrade)
    }

    pub(super) fn of_file(file: &Path) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(file).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, changes| changes.strong_count() > 0);
        let new = Arc::new(Self::new());
        all.insert(file.to_owned(), Arc::downgrade(&new));
        new
    }

    /// What is read after this call and kept with its result may be used while `unchanged_since` says so.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.now.load(Ordering::SeqCst))
    }

    /// Whether what was read of these rows after `moment` is still what is stored.
    #[must_use]
    pub fn unchanged_since(&self, moment: Moment, rows: &[WatchedRow]) -> bool {
        rows.iter().all(|row| {
            self.cells.get(row.0).is_some_and(|cell| {
                cell.writers.load(Ordering::SeqCst) == 0 && cell.changed.load(Ordering::SeqCst) <= moment.0
            })
        })
    }

    /// Returns when what was read of these tables after `moment` is no longer what is stored.
    pub(super) async fn changed_since(&self, moment: Moment, tables: &[WatchedRow]) {
        loop {
            // Before it looks, so that nothing is missed in between.
            let mut next = std::pin::pin!(self.tables.notified());
            next.as_mut().enable();
            if !self.unchanged_since(moment, tables) {
                return;
            }
            next.await;
        }
    }

    /// Reports the changes of a connection from now on.
    pub(super) async fn watch(self: &Arc<Self>, connection: &mut SqliteConnection) -> Result<(), Error> {
        let mut writer = Writer { changes: Arc::clone(self), marked: [0; CELLS / WORD] };
        connection.lock_handle().await?.set_update_hook(move |change| writer.note(change.table, change.rowid));
        Ok(())
    }

    /// Call this when a connection has ended its transaction.
    pub(super) async fn ended(self: &Arc<Self>, connection: &mut SqliteConnection) -> Result<(), Error> {
        if self.writers.load(Ordering::SeqCst) == 0 {
            return Ok(());
        }
        // Drops the last `Writer` of the connection.
        self.watch(connection).await
    }
}

/// The rows that one connection is changing. They are changed when it is dropped: by its successor, or with the connection.
struct Writer {
    changes: Arc<Changes>,
    /// One bit for each cell.
    marked: [u64; CELLS / WORD],
}

impl Writer {
    fn note(&mut self, table: &str, rowid: i64) {
        let Some(table) = Watched::named(table) else { return };
        let row = WatchedRow::new(table, rowid);
        let first = self.marked.iter().all(|word| *word == 0);
        let bit = 1_u64 << (row.0 % WORD);
        let (Some(word), Some(cell)) = (self.marked.get_mut(row.0 / WORD), self.changes.cells.get(row.0)) else {
            return;
        };
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        cell.writers.fetch_add(1, Ordering::SeqCst);
        if first {
            self.changes.writers.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.marked.iter().all(|word| *word == 0) {
            return;
        }
        let now = self.changes.now.fetch_add(1, Ordering::SeqCst) + 1;
        for (place, cell) in self.changes.cells.iter().enumerate() {
            let word = self.marked.get(place / WORD).copied().unwrap_or_default();
            if word & (1 << (place % WORD)) != 0 {
                cell.changed.fetch_max(now, Ordering::SeqCst);
                cell.writers.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.changes.writers.fetch_sub(1, Ordering::SeqCst);
        if self.marked.iter().skip(ROWS / WORD).any(|word| *word != 0) {
            self.changes.tables.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ALL_WATCHED, CELLS, Changes, WORD, Watched, WatchedRow, Writer};

    fn writer(changes: &Arc<Changes>) -> Writer {
        Writer { changes: Arc::clone(changes), marked: [0; CELLS / WORD] }
    }

    #[test]
    fn nothing_that_was_read_before_or_during_a_change_is_used() {
        let changes = Arc::new(Changes::new());
        let (changed, other) = (WatchedRow::new(Watched::Job, 7), WatchedRow::new(Watched::Job, 8));
        let before = changes.now();
        assert!(changes.unchanged_since(before, &[changed, other]));
        let mut first = writer(&changes);
        first.note("job", 7);
        first.note("job", 7);
        first.note("run", 8);
        let during = changes.now();
        assert!(!changes.unchanged_since(before, &[other, changed]));
        assert!(!changes.unchanged_since(during, &[changed]));
        assert!(changes.unchanged_since(before, &[other]));
        // Another connection changes the same row before the first one has returned.
        let mut second = writer(&changes);
        second.note("job", 7);
        drop(first);
        assert!(!changes.unchanged_since(changes.now(), &[changed]));
        drop(second);
        assert!(!changes.unchanged_since(during, &[changed]));
        assert!(changes.unchanged_since(changes.now(), &[changed]));
        assert_eq!(changes.writers.load(std::sync::atomic::Ordering::SeqCst), 0);
    }

    #[test]
    fn rows_of_different_tables_are_different() {
        let rows: std::collections::HashSet<usize> = ALL_WATCHED.map(|table| WatchedRow::new(table, 1).0).into();
        assert_eq!(rows.len(), ALL_WATCHED.len());
        assert!(rows.iter().all(|cell| *cell < CELLS));
        let group = |rowid| WatchedRow::new(Watched::MetadataGroup, rowid);
        assert_eq!(group(1), group(2), "its rows are not known before they are read");
    }
}
