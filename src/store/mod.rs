//! Queries: free functions, one file per aggregate.
//!
//! Functions take a connection or a transaction. Statements that belong together run in `write`, which is an
//! immediate transaction: on SQLite a deferred one that reads first fails as soon as another one writes.

mod binds;
pub mod cancel;
pub mod cluster;
pub mod cluster_objects;
pub mod custom_role;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod git_token;
pub mod group;
pub mod invitation;
pub mod job;
pub mod job_usage;
pub mod log;
pub mod organization;
pub mod person;
pub mod project;
pub mod registry;
pub mod resource;
pub mod restriction;
pub mod retention;
pub mod row;
pub mod rule;
pub mod run;
pub mod schedule;
pub mod scheduled;
pub mod skipped;
pub mod stage;
pub mod team;
pub mod token;
pub mod variable;
pub mod webhook;
pub mod workspace;

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

/// The most rows that a list reads at once; longer ones are read page by page.
pub const PAGE: u64 = 500;

/// How much of an SQLite database a connection keeps in memory, in KiB (as SQLite wants it: below zero).
const CACHE: &str = "-65536";
/// How much of an SQLite database is read without copying it, in bytes.
const MAPPED: &str = "268435456";
/// After how many pages of 4 KiB the log of an SQLite database is brought into the file.
const CHECKPOINT: &str = "8000";

/// Opens the pool and checks that the database answers.
///
/// # Errors
/// When the URL is not understood or the database does not answer.
pub async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(8))
        .connect_timeout(Duration::from_secs(8))
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .sqlx_logging(false);
    options.record_stmt_in_spans(false);
    // Readers do not wait for the writer, and a commit is one write to the disk; it is on the disk when it returns.
    options.map_sqlx_sqlite_opts(|options| {
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", CACHE)
            .pragma("mmap_size", MAPPED)
            .pragma("wal_autocheckpoint", CHECKPOINT)
    });
    let db = Database::connect(options).await?;
    db.ping().await?;
    Ok(db)
}

/// Runs `work` in one transaction: all of it is stored, or nothing.
///
/// # Errors
/// What `work` returns, and failures of the transaction itself.
pub async fn write<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr>,
{
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    let value = work(&transaction).await?;
    transaction.commit().await?;
    Ok(value)
}

/// Whether the database answers.
///
/// # Errors
/// When it does not.
pub async fn ping(db: &DatabaseConnection) -> Result<(), DbErr> {
    db.ping().await
}

/// Sends a notification to the other servers of a PostgreSQL database.
///
/// # Errors
/// When the statement fails.
pub async fn notify(db: &DatabaseConnection, channel: &str, payload: &str) -> Result<(), DbErr> {
    let values = [channel.into(), payload.into()];
    let sql = "SELECT pg_notify($1, $2)";
    db.execute_raw(sea_orm::Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(())
}

/// Takes `count` numbers from a counter and returns the first; others wait until the transaction ends.
///
/// # Errors
/// When the statement fails or the counter is not there.
async fn take_numbers(tx: &impl ConnectionTrait, name: &str, count: i64) -> Result<i64, DbErr> {
    use entity::counter;
    use sea_orm::sea_query::{Expr, ExprTrait as _};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

    let rows = counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(count))
        .filter(counter::Column::Name.eq(name))
        .exec_with_returning(tx)
        .await?;
    let row = rows.first().ok_or_else(|| DbErr::RecordNotFound(format!("counter {name}")))?;
    Ok(row.value - count + 1)
}

/// Keeps other servers out until the transaction ends: for what only the first start does.
///
/// # Errors
/// When the statement fails.
pub async fn lock_installation(tx: &impl ConnectionTrait) -> Result<(), DbErr> {
    take_numbers(tx, entity::counter::RUN, 0).await.map(|_| ())
}
