//! Several reads of one moment.

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, TransactionTrait as _,
};

/// Runs `work` in a transaction that only reads, and sees nothing that is committed meanwhile.
///
/// # Errors
/// The error of `work`, or a failure of the transaction itself.
pub async fn snapshot<T, E, F>(db: &DatabaseConnection, work: F) -> Result<T, E>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: From<DbErr>,
{
    let transaction = match db.get_database_backend() {
        // On SQLite, the first read of a transaction decides what it sees.
        DbBackend::Sqlite => db.begin().await?,
        _ => db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?,
    };
    let value = work(&transaction).await?;
    transaction.commit().await?;
    Ok(value)
}
