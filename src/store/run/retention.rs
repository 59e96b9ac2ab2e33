//! Expiry of old runs.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run;
use entity::run::RunState;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The maximum number of runs of a job that one call expires.
const MARKED: u64 = 50;

/// Expires the runs of a job in these states, except for the newest `kept`.
///
/// # Errors
/// When a statement fails.
pub async fn expire_beyond(
    tx: &impl ConnectionTrait,
    job: JobId,
    states: &[RunState],
    kept: u64,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let old: Vec<RunId> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::State.is_in(states.iter().copied()))
        .order_by_desc(run::Column::Number)
        .offset(kept)
        .limit(MARKED)
        // Another transaction expires the locked ones.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    if !old.is_empty() {
        run::Entity::update_many()
            .col_expr(run::Column::ExpiresAt, Expr::value(now))
            .filter(run::Column::Id.is_in(old))
            .filter(run::Column::ExpiresAt.gt(now))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Runs that may be deleted, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn list_expired(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<RunId>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::ExpiresAt.lte(now))
        .filter(run::Column::Id.is_not_in(paused))
        .order_by_asc(run::Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Deletes runs.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, ids: Vec<RunId>) -> Result<(), DbErr> {
    run::Entity::delete_many().filter(run::Column::Id.is_in(ids)).exec(db).await?;
    Ok(())
}
