//! The queue of the writers of an SQLite database, which has room for one at a time.
//!
//! SQLite itself has no queue: a waiting connection looks again after longer and longer pauses, and may find the database busy each
//! time while others write one transaction after another.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sea_orm::{DatabaseConnection, DbBackend};
use tokio::sync::OwnedMutexGuard;

type Queue = Arc<tokio::sync::Mutex<()>>;

/// The queues of this process, by database file.
static QUEUES: LazyLock<Mutex<HashMap<PathBuf, Queue>>> = LazyLock::new(Mutex::default);

/// Waits until all writers that asked before are done; at once on PostgreSQL. The turn ends when the guard is dropped.
pub(super) async fn take(db: &DatabaseConnection) -> Option<OwnedMutexGuard<()>> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return None;
    }
    let file = db.get_sqlite_connection_pool().connect_options().get_filename().to_owned();
    let queue = QUEUES.lock().unwrap_or_else(PoisonError::into_inner).entry(file).or_default().clone();
    Some(queue.lock_owned().await)
}
