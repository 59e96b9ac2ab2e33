//! Counters that are shared by the whole installation.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Takes `count` numbers for runs and returns the first one. On PostgreSQL nobody waits for the transaction: a stage of a deployment
/// creates many runs in one. Numbers of a transaction that fails are not used again.
///
/// # Errors
/// When the statement fails.
pub(super) async fn take_run_numbers(tx: &impl ConnectionTrait, count: i64) -> Result<i64, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return take_numbers(tx, entity::counter::RUN, count).await;
    }
    let sql = "SELECT take_run_numbers($1)";
    let row = tx.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [count.into()])).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("run number".into()))?.try_get_by_index(0)
}

/// Takes `count` numbers from a counter and returns the first one. Other transactions wait until this one ends.
///
/// # Errors
/// When the statement fails or the counter is missing.
pub(super) async fn take_numbers(tx: &impl ConnectionTrait, name: &str, count: i64) -> Result<i64, DbErr> {
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

/// Makes other servers wait until the transaction ends, for work that only the first start performs.
///
/// # Errors
/// When the statement fails.
pub async fn lock_installation(tx: &impl ConnectionTrait) -> Result<(), DbErr> {
    take_numbers(tx, entity::counter::RUN, 0).await.map(|_| ())
}

/// Removes all counters, before those of another database are stored.
///
/// # Errors
/// When the statement fails.
pub async fn forget_counters(tx: &impl ConnectionTrait) -> Result<(), DbErr> {
    tx.execute_unprepared("DELETE FROM counter").await.map(|_| ())
}
