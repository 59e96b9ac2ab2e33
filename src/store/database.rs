//! The connection to the database.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Sqlite, SqliteConnection};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement};

use super::row_changes::Changes;
use super::transaction::write;
use super::write_connection::{Own, keep};

/// The page caches of all SQLite connections together, in KiB: each connection has its own, and keeps it. What does not fit is in the
/// page cache of the operating system, which all of them share.
const CACHES: u32 = 20 * 1024;
/// The largest and the smallest page cache of one connection, in KiB.
const LARGEST_CACHE: u32 = 2048;
const SMALLEST_CACHE: u32 = 256;

/// The size at which the write-ahead log of an SQLite database is checkpointed, in pages of 4 KiB.
const CHECKPOINT: &str = "8000";

/// A connection that was idle for this long is tested before it is used: it may have been cut.
const TESTED_AFTER: Duration = Duration::from_millis(100);

/// Opens the pool and checks that the database answers.
///
/// # Errors
/// When the URL is invalid or the database does not answer.
pub async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    open(url, connections, &Own::default()).await
}

/// The same for a server. On SQLite its writers share one more connection.
///
/// # Errors
/// The same.
pub async fn connect_to_serve(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let own = Own::default();
    let db = open(url, connections, &own).await?;
    if db.get_database_backend() == DbBackend::Sqlite && connections > 1 {
        keep(&db, &own, connect(url, 1).await?);
    }
    Ok(db)
}

async fn open(url: &str, connections: u32, own: &Own) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(8))
        .connect_timeout(Duration::from_secs(8))
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .sqlx_logging(false);
    if url.starts_with("sqlite") {
        let file = SqliteConnectOptions::from_str(url)
            .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?
            .get_filename()
            .to_owned();
        let (changes, own) = (Changes::of_file(&file), Own::clone(own));
        options.map_sqlx_sqlite_pool_opts(move |options| watched(options, &changes, &own));
    } else {
        options.test_before_acquire_if_idle_for(TESTED_AFTER);
    }
    options.record_stmt_in_spans(false);
    // With WAL, readers do not wait for the writer. A commit is on disk when it returns.
    let cache = CACHES.checked_div(connections).unwrap_or_default().clamp(SMALLEST_CACHE, LARGEST_CACHE);
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A negative number is one of KiB.
            .pragma("cache_size", format!("-{cache}"))
            // Each connection would map the file for itself, and an error of the disk would be a signal that ends the server.
            .pragma("mmap_size", "0")
            .pragma("wal_autocheckpoint", CHECKPOINT)
    });
    let db = Database::connect(options).await?;
    db.ping().await?;
    Ok(db)
}

/// Reports what connections change, and closes those that still count a transaction when they are returned. When its disk is full or
/// fails, SQLite ends the transaction by itself, so that its rollback fails and the connection would reject every later transaction.
/// The pool keeps its write connection with what it calls.
fn watched(options: PoolOptions<Sqlite>, changes: &Arc<Changes>, own: &Own) -> PoolOptions<Sqlite> {
    let (opened, returned, own) = (Arc::clone(changes), Arc::clone(changes), Own::clone(own));
    options
        .after_connect(move |connection: &mut SqliteConnection, _| {
            let (changes, _own) = (Arc::clone(&opened), &own);
            Box::pin(async move { changes.watch(connection).await })
        })
        .after_release(move |connection: &mut SqliteConnection, _| {
            let changes = Arc::clone(&returned);
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // Waits for the rollback of a transaction that was dropped. One that was about to begin is rolled back by itself.
                    connection.ping().await?;
                    if connection.is_in_transaction() {
                        return Ok(false);
                    }
                }
                changes.ended(connection).await?;
                Ok(true)
            })
        })
}

/// Checks that the database can be written, by writing to it.
///
/// # Errors
/// When the database does not answer, or cannot be written.
pub async fn probe(db: &DatabaseConnection) -> Result<(), DbErr> {
    // SQLite writes nothing to the disk unless the value changes.
    let sql = "INSERT INTO counter (name, value) VALUES ('health', 1) \
               ON CONFLICT (name) DO UPDATE SET value = counter.value + 1";
    write(db, async |tx| tx.execute_unprepared(sql).await.map(|_| ())).await
}

/// The kind and the version of the database.
///
/// # Errors
/// When the statement fails.
pub async fn version(db: &DatabaseConnection) -> Result<String, DbErr> {
    let (kind, sql) = match db.get_database_backend() {
        DbBackend::Postgres => ("PostgreSQL", "SHOW server_version"),
        _ => ("SQLite", "SELECT sqlite_version()"),
    };
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let version: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(format!("{kind} {}", version.unwrap_or_default()))
}

/// The time by the clock of the database; `None` if it has none of its own.
///
/// # Errors
/// When the statement fails.
pub async fn time(db: &DatabaseConnection) -> Result<Option<DateTime<Utc>>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp()")).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// Sends a notification to the other servers of a PostgreSQL database.
///
/// # Errors
/// When the statement fails.
pub async fn notify(db: &DatabaseConnection, channel: &str, payload: &str) -> Result<(), DbErr> {
    let values = [channel.into(), payload.into()];
    let sql = "SELECT pg_notify($1, $2)";
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(())
}
