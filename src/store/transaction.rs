//! Transactions. They are repeated once if the database undid them for a reason that may pass.

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use super::transient::{MayPass, Transient};
use super::turn;

/// Runs `work` in one transaction. After a deadlock, a serialization failure or a cut connection, it is repeated once, unless it
/// may have been stored.
///
/// # Errors
/// The error of `work`, or a failure of the transaction itself.
pub async fn write<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E> + Clone,
    E: From<DbErr> + MayPass,
{
    let failed = match attempt(db, work.clone()).await {
        Ok(value) => return Ok(value),
        Err(failed) => failed,
    };
    let passes_at_once = matches!(failed.error.transient(), Some(Transient::Contended | Transient::Disconnected));
    if !failed.repeatable || !passes_at_once {
        return Err(failed.error);
    }
    tracing::info!(reason = ?failed.error.transient(), "transaction was undone by the database; repeating it once");
    attempt(db, work).await.map_err(|failed| failed.error)
}

/// Why a transaction failed.
struct Failed<E> {
    error: E,
    /// Nothing of it is stored, and it failed at once.
    repeatable: bool,
}

async fn attempt<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, Failed<E>>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr> + MayPass,
{
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let _turn = turn::take(db).await;
    // Whoever waited for a connection in vain does not wait as long again.
    let begun = db.begin_with_options(options).await;
    let transaction = begun
        .map_err(|error| Failed { repeatable: !matches!(error, DbErr::ConnectionAcquire(_)), error: error.into() })?;
    let value = work(&transaction).await.map_err(|error| Failed { error, repeatable: true })?;
    // Without an answer to a commit, nobody knows whether it was carried out.
    let committed = transaction.commit().await;
    committed
        .map_err(|error| Failed { repeatable: error.transient() == Some(Transient::Contended), error: error.into() })?;
    Ok(value)
}
