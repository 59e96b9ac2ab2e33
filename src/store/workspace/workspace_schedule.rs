//! Schedules of workspaces.

use chrono::{DateTime, Utc};
use entity::id::{WorkspaceId, WorkspaceScheduleId};
use entity::workspace_schedule;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The ids of schedules that are due, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn due_schedules(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WorkspaceScheduleId>, DbErr> {
    workspace_schedule::Entity::find()
        .select_only()
        .column(workspace_schedule::Column::Id)
        .filter(workspace_schedule::Column::NextRunAt.lte(now))
        .filter(workspace_schedule::Column::Id.is_not_in(paused))
        .order_by_asc(workspace_schedule::Column::NextRunAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// A schedule that is still due, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_due_schedule(
    tx: &impl ConnectionTrait,
    id: WorkspaceScheduleId,
    now: DateTime<Utc>,
) -> Result<Option<workspace_schedule::Model>, DbErr> {
    workspace_schedule::Entity::find_by_id(id)
        .filter(workspace_schedule::Column::NextRunAt.lte(now))
        .lock_with_behavior(LockType::Update, sea_orm::sea_query::LockBehavior::SkipLocked)
        .one(tx)
        .await
}

/// When the next schedule is due, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn next_due(db: &impl ConnectionTrait, paused: Vec<Uuid>) -> Result<Option<DateTime<Utc>>, DbErr> {
    let next: Option<Option<DateTime<Utc>>> = workspace_schedule::Entity::find()
        .select_only()
        .column(workspace_schedule::Column::NextRunAt)
        .filter(workspace_schedule::Column::NextRunAt.is_not_null())
        .filter(workspace_schedule::Column::Id.is_not_in(paused))
        .order_by_asc(workspace_schedule::Column::NextRunAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(next.flatten())
}

/// Disables the schedules of a workspace.
///
/// # Errors
/// When the statement fails.
pub async fn disable_schedules(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<(), DbErr> {
    let row = workspace_schedule::ActiveModel {
        enabled: ActiveValue::Set(false),
        next_run_at: ActiveValue::Set(None),
        ..Default::default()
    };
    workspace_schedule::Entity::update_many()
        .set(row)
        .filter(workspace_schedule::Column::WorkspaceId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
