//! Lines of the logs of runs.

use entity::id::RunId;
use entity::log_line;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

/// How many rows one statement inserts: below the limits on bound values of both databases.
const ROWS: usize = 500;

/// Stores lines.
///
/// # Errors
/// A broken primary key when a position is taken.
pub async fn append(db: &impl ConnectionTrait, lines: Vec<log_line::Model>) -> Result<(), DbErr> {
    let mut lines = lines.into_iter().map(|line| line.into_active_model().reset_all()).peekable();
    while lines.peek().is_some() {
        let rows: Vec<_> = lines.by_ref().take(ROWS).collect();
        log_line::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The lines of a run behind a position, in order.
///
/// # Errors
/// When the query fails.
pub async fn list_by_run(
    db: &impl ConnectionTrait,
    run: RunId,
    after_position: i64,
    limit: u64,
) -> Result<Vec<log_line::Model>, DbErr> {
    log_line::Entity::find()
        .filter(log_line::Column::RunId.eq(run))
        .filter(log_line::Column::Position.gt(after_position))
        .order_by_asc(log_line::Column::Position)
        .limit(limit)
        .all(db)
        .await
}
