//! Deployment rules of environments.

use chrono::{DateTime, Utc};
use entity::deployment_rule::{Column, Entity, Model};
use entity::id::EnvironmentId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The environments of the rules whose next start or stop is due, except for those in `paused`; in no order, so that
/// both indexes are used.
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
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Rules with a next start or stop, none of which is due at `now`, of environments with larger ids than `after`, in the order of their ids.
///
/// # Errors
/// When the query fails.
pub async fn planned_after(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    after: Option<EnvironmentId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let later = |column: Column| Condition::any().add(column.gt(now)).add(column.is_null());
    let planned = Condition::all()
        .add(Condition::any().add(Column::NextStartAt.is_not_null()).add(Column::NextStopAt.is_not_null()))
        .add(later(Column::NextStartAt))
        .add(later(Column::NextStopAt));
    let mut select = Entity::find().filter(planned);
    if let Some(after) = after {
        select = select.filter(Column::EnvironmentId.gt(after));
    }
    select.order_by_asc(Column::EnvironmentId).limit(limit).all(db).await
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
