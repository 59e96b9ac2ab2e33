//! Transactions. They are repeated once if the database undid them for a reason that may pass.

use sea_orm::{DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend, DbErr, TransactionTrait as _};

use super::failed::{Failed, Repeat};
use super::group_commit::{self, Company};
use super::transient::{MayPass, Transient};

/// Runs `work` in one transaction. After a deadlock, a serialization failure or a cut connection, it is repeated once, unless it
/// may have been stored. On SQLite it may be committed together with others; it does not return before it is.
///
/// # Errors
/// The error of `work`, or a failure of the transaction itself.
pub async fn write<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E> + Clone,
    E: From<DbErr> + MayPass,
{
    let failed = match attempt(db, Company::Any, work.clone()).await {
        Ok(value) => return Ok(value),
        Err(failed) => failed,
    };
    let reason = failed.error.transient();
    let company = match failed.repeat {
        Repeat::Alone => Company::Alone,
        Repeat::IfItMayPass if matches!(reason, Some(Transient::Contended | Transient::Disconnected)) => Company::Any,
        Repeat::IfItMayPass | Repeat::Never => return Err(failed.error),
    };
    tracing::info!(?reason, "transaction was undone by the database; repeating it once");
    attempt(db, company, work).await.map_err(|failed| failed.error)
}

/// Runs a single statement that changes rows, which on PostgreSQL is a transaction by itself. It is repeated once if the database
/// undid it; if the connection is cut, nobody knows whether it was carried out.
///
/// # Errors
/// The error of `work`, or a failure of the transaction.
pub async fn write_one<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: AsyncFnOnce(DatabaseExecutor<'_>) -> Result<T, E> + Clone,
    E: From<DbErr> + MayPass,
{
    if db.get_database_backend() == DbBackend::Sqlite {
        return write(db, async |tx: &DatabaseTransaction| work.clone()(tx.into()).await).await;
    }
    match work.clone()(db.into()).await {
        Err(error) if error.transient() == Some(Transient::Contended) => work(db.into()).await,
        done => done,
    }
}

async fn attempt<T, E, F>(db: &DatabaseConnection, company: Company, work: F) -> Result<T, Failed<E>>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr> + MayPass,
{
    if db.get_database_backend() == DbBackend::Sqlite {
        return group_commit::attempt(db, company, work).await;
    }
    let transaction = db.begin().await.map_err(Failed::to_begin)?;
    let value = work(&transaction).await.map_err(|error| Failed { error, repeat: Repeat::IfItMayPass })?;
    transaction.commit().await.map_err(Failed::to_commit)?;
    Ok(value)
}
