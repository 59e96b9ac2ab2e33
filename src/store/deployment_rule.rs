//! Deployment rules of environments.

use chrono::{DateTime, Utc};
use entity::deployment_rule::{Column, Entity, Model};
use entity::id::EnvironmentId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The environments of the rules whose next start or stop is due, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn due(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<EnvironmentId>, DbErr> {
    let due = Condition::any().add(Column::NextStartAt.lte(now)).add(Column::NextStopAt.lte(now));
    Entity::find()
        .select_only()
        .column(Column::EnvironmentId)
        .filter(due)
        .filter(Column::EnvironmentId.is_not_in(paused))
        .order_by_asc(Column::EnvironmentId)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Sets the next times of a rule. Returns false if another transaction did so first.
///
/// # Errors
/// When the statement fails.
pub async fn advance(
    db: &impl ConnectionTrait,
    row: &Model,
    (start, stop): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<bool, DbErr> {
    let same = |column: Column, value: Option<DateTime<Utc>>| match value {
        Some(value) => column.eq(value),
        None => column.is_null(),
    };
    let changed = Entity::update_many()
        .col_expr(Column::NextStartAt, Expr::value(start))
        .col_expr(Column::NextStopAt, Expr::value(stop))
        .filter(Column::EnvironmentId.eq(row.environment_id))
        .filter(same(Column::NextStartAt, row.next_start_at))
        .filter(same(Column::NextStopAt, row.next_stop_at))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}
