//! The numbers of runs by time: they are in the order of creation, so no index by time is needed.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::binds::Binds;

/// Finds a number by halving the numbers that are left.
const NUMBER_AT: &str = "WITH RECURSIVE step (low, high) AS ( \
     SELECT COALESCE((SELECT MIN(number) FROM run), 0), COALESCE((SELECT MAX(number) FROM run), 0) + 1 \
     UNION ALL \
     SELECT CASE WHEN r.created_at < ";

/// The number of the first run that was created at `time` or later; one more than all, if there is none.
///
/// # Errors
/// When the query fails.
pub(super) async fn number_at(db: &impl ConnectionTrait, time: DateTime<Utc>) -> Result<i64, DbErr> {
    let mut sql = Binds::new(db.get_database_backend(), NUMBER_AT);
    sql.value(time, "timestamptz").sql(" THEN r.number + 1 ELSE step.low END, CASE WHEN r.created_at < ");
    sql.value(time, "timestamptz").sql(
        " THEN step.high ELSE (step.low + step.high) / 2 END FROM step JOIN run r ON r.number = (SELECT next.number FROM run next \
         WHERE next.number >= (step.low + step.high) / 2 ORDER BY next.number LIMIT 1) WHERE step.low < step.high) \
         SELECT MAX(low) FROM step",
    );
    number(db, sql).await
}

/// The number of the oldest run; 0, if there is none.
///
/// # Errors
/// When the query fails.
pub(super) async fn oldest_number(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    number(db, Binds::new(db.get_database_backend(), "SELECT MIN(number) FROM run")).await
}

/// One more than the number of the newest run; 0, if there is none.
///
/// # Errors
/// When the query fails.
pub(super) async fn next_number(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    number(db, Binds::new(db.get_database_backend(), "SELECT MAX(number) + 1 FROM run")).await
}

async fn number(db: &impl ConnectionTrait, sql: Binds) -> Result<i64, DbErr> {
    let row = db.query_one_raw(sql.statement()).await?;
    Ok(row.map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten().unwrap_or(0))
}
