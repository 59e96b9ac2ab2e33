//! New runs.

use entity::run;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel};

use crate::store::counter::take_run_numbers;

/// The number of rows per statement, within the limits of both databases on bound values.
const ROWS: usize = 500;

/// Stores and numbers new runs. A run is skipped if its scheduled time already has one. Returns the number of
/// stored runs.
///
/// # Errors
/// When a statement fails.
pub async fn create(tx: &impl ConnectionTrait, rows: Vec<run::Model>) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let first = take_run_numbers(tx, i64::try_from(rows.len()).unwrap_or(1)).await?;
    let mut rows = rows
        .into_iter()
        .zip(first..)
        .map(|(row, number)| run::Model { number, ..row }.into_active_model().reset_all())
        .peekable();
    let conflict = OnConflict::columns([run::Column::JobId, run::Column::ScheduledFor]).do_nothing().to_owned();
    let mut stored = 0;
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        let insert = run::Entity::insert_many(chunk).on_conflict(conflict.clone());
        stored += insert.exec_without_returning(tx).await?;
    }
    Ok(stored)
}
