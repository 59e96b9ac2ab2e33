//! Writes to an SQLite database, which has room for one writer at a time.
//!
//! SQLite itself has no queue: a waiting connection looks again after longer and longer pauses, and may find the database busy each
//! time. So the writers of this process wait for their turn here, in the order in which they asked. Those that wait while another
//! one writes join its transaction, each with a savepoint of its own, and all of them are committed together, with one write to
//! the disk. None of them returns before that.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use sea_orm::sqlx;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::Instant;

use super::failed::{Failed, Repeat};
use super::transient::{MayPass, Transient};
use super::write_connection;

/// How many transactions are committed together.
const MEMBERS: usize = 64;

/// How long a group accepts further members: the first one has to wait for the last one.
const OPEN: Duration = Duration::from_millis(50);

/// The writers of one database file.
#[derive(Default)]
struct Writers {
    /// Whoever holds the lock writes. It holds the group that the next writer may join.
    place: Arc<tokio::sync::Mutex<Option<Group>>>,
    waiting: AtomicUsize,
}

/// The turn of a writer.
type Turn = OwnedMutexGuard<Option<Group>>;

/// All writers of this process, by database file. Held weakly, so that an open group is dropped with the last of its writers.
static WRITERS: LazyLock<Mutex<HashMap<PathBuf, Weak<Writers>>>> = LazyLock::new(Mutex::default);

/// Counts a waiting writer until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Writers {
    fn of(db: &DatabaseConnection) -> Arc<Self> {
        let file = db.get_sqlite_connection_pool().connect_options().get_filename().to_owned();
        let mut all = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&file).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, writers| writers.strong_count() > 0);
        let new = Arc::new(Self::default());
        all.insert(file, Arc::downgrade(&new));
        new
    }

    async fn turn(&self) -> Turn {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        Arc::clone(&self.place).lock_owned().await
    }

    fn someone_waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }
}

/// A transaction with the work of several writers that is not committed yet.
struct Group {
    transaction: DatabaseTransaction,
    /// The pool of its connection. Writers of another pool do not join it.
    pool: Arc<SqliteConnectOptions>,
    begun: Instant,
    members: usize,
    /// False while a member works: if it is dropped in the middle, its work has to be undone.
    intact: bool,
    savepoint: Savepoint,
    outcome: watch::Sender<Option<Result<(), DbErr>>>,
}

/// The savepoint of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    None,
    /// That of the member that has worked last is still there: the next one replaces it with its own, with one statement.
    Open,
    /// A member was dropped while it replaced it, before it had done anything.
    Unknown,
}

impl Group {
    fn admits(&self, pool: &Arc<SqliteConnectOptions>) -> bool {
        self.intact
            && self.savepoint != Savepoint::Unknown
            && self.members < MEMBERS
            && self.begun.elapsed() < OPEN
            && Arc::ptr_eq(&self.pool, pool)
    }

    /// Begins the savepoint of the next member.
    async fn begin_member(&mut self) -> Result<(), DbErr> {
        let sql = match std::mem::replace(&mut self.savepoint, Savepoint::Unknown) {
            Savepoint::Open => "RELEASE member; SAVEPOINT member",
            Savepoint::None | Savepoint::Unknown => "SAVEPOINT member",
        };
        self.transaction.execute_unprepared(sql).await?;
        self.savepoint = Savepoint::Open;
        Ok(())
    }

    /// Undoes the work of the member whose work began last. Fails if SQLite has ended the whole transaction.
    async fn undo_last(&mut self) -> Result<(), DbErr> {
        self.transaction.execute_unprepared("ROLLBACK TO member; RELEASE member").await?;
        (self.intact, self.savepoint) = (true, Savepoint::None);
        Ok(())
    }

    async fn commit(mut self) {
        if !self.intact && self.undo_last().await.is_err() {
            self.break_up();
            return;
        }
        let committed = self.transaction.commit().await;
        self.outcome.send_replace(Some(committed));
    }

    /// Undoes the work of all members.
    fn break_up(self) {
        // SQLite ends a transaction by itself when its disk is full or fails.
        let error = RuntimeErr::SqlxError(Arc::new(sqlx::Error::InvalidSavePointStatement));
        self.outcome.send_replace(Some(Err(DbErr::Exec(error))));
    }
}

/// Whether a transaction may be committed together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    Any,
    /// It was in a group that could not be committed; perhaps because of itself.
    Alone,
}

/// Runs `work` in a transaction, or in the transaction of another writer.
pub(super) async fn attempt<T, E, F>(db: &DatabaseConnection, company: Company, work: F) -> Result<T, Failed<E>>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr> + MayPass,
{
    let db = &write_connection::of(db);
    let writers = Writers::of(db);
    let pool = db.get_sqlite_connection_pool().connect_options();
    let mut turn = writers.turn().await;
    if let Some(group) = turn.take() {
        if company == Company::Any && group.admits(&pool) {
            return join(turn, group, &writers, work).await;
        }
        turn = commit_in_background(turn, group).await.map_err(|error| Failed::new(error, Repeat::Never))?;
    }
    let begun = Instant::now();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await.map_err(Failed::to_begin)?;
    let value = work(&transaction).await.map_err(|error| Failed { error, repeat: Repeat::IfItMayPass })?;
    if company == Company::Alone || !writers.someone_waits() {
        transaction.commit().await.map_err(Failed::to_commit)?;
        return Ok(value);
    }
    let (outcome, savepoint) = (watch::Sender::new(None), Savepoint::None);
    let group = Group { transaction, pool, begun, members: 1, intact: true, savepoint, outcome };
    let outcome = group.outcome.subscribe();
    *turn = Some(group);
    commit_after_the_waiting(&writers);
    drop(turn);
    committed(outcome).await.map(|()| value)
}

/// Runs `work` in the transaction of a group, within a savepoint. The savepoint is plain SQL, because sea-orm's nested transactions
/// are not safe to cancel: one that is dropped while it begins rolls back the outer transaction as well, whose commit then reports
/// success.
async fn join<T, E, F>(mut turn: Turn, group: Group, writers: &Arc<Writers>, work: F) -> Result<T, Failed<E>>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr> + MayPass,
{
    // While this member works, the group is in its place, where the next one finds it if this one is dropped.
    let group = turn.insert(group);
    if let Err(error) = group.begin_member().await {
        // SQLite has ended the whole transaction.
        if let Some(group) = turn.take() {
            group.break_up();
        }
        return Err(Failed { error: error.into(), repeat: Repeat::Alone });
    }
    group.intact = false;
    match work(&group.transaction).await {
        Ok(value) => {
            group.intact = true;
            group.members += 1;
            let outcome = group.outcome.subscribe();
            let goes_on = writers.someone_waits() && group.admits(&Arc::clone(&group.pool));
            if !goes_on && let Some(group) = turn.take() {
                // The others must not depend on whether the caller of this one goes on.
                let _turn = commit_in_background(turn, group).await;
            } else {
                drop(turn);
            }
            committed(outcome).await.map(|()| value)
        }
        Err(error) => {
            if group.undo_last().await.is_ok() {
                return Err(Failed { error, repeat: Repeat::IfItMayPass });
            }
            if let Some(group) = turn.take() {
                group.break_up();
            }
            Err(Failed { error, repeat: Repeat::Alone })
        }
    }
}

/// Waits until the group of a member is committed.
async fn committed<E: From<DbErr> + MayPass>(
    mut outcome: watch::Receiver<Option<Result<(), DbErr>>>,
) -> Result<(), Failed<E>> {
    let outcome = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) if error.transient() == Some(Transient::Disconnected) => {
            Err(Failed::new(error, Repeat::Never))
        }
        Some(Err(error)) => Err(Failed::new(error, Repeat::Alone)),
        None => Err(Failed::new(interrupted(), Repeat::Never)),
    }
}

/// Nobody knows whether the transaction was committed.
fn interrupted() -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx::Error::WorkerCrashed)))
}

/// Commits a group to its end even if the caller is dropped, and returns the turn.
async fn commit_in_background(turn: Turn, group: Group) -> Result<Turn, DbErr> {
    #[expect(clippy::disallowed_methods, reason = "ends with the commit")]
    let committing = tokio::spawn(async move {
        group.commit().await;
        turn
    });
    committing.await.map_err(|_| interrupted())
}

/// Commits the group in `writers` after those who wait for their turn now. One of them may have committed it by then.
fn commit_after_the_waiting(writers: &Arc<Writers>) {
    let place = Arc::clone(&writers.place);
    #[expect(clippy::disallowed_methods, reason = "ends with the commit")]
    tokio::spawn(async move {
        let mut turn = place.lock_owned().await;
        if let Some(group) = turn.take() {
            group.commit().await;
        }
    });
}
