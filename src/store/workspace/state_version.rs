//! Terraform states of workspaces: versions and locks.

use chrono::{DateTime, Utc};
use entity::id::{StateVersionId, WorkspaceId, WorkspaceStepId};
use entity::{state_version, workspace};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

/// The newest state version of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn newest_state(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<state_version::Model>, DbErr> {
    state_version::Entity::find()
        .filter(state_version::Column::WorkspaceId.eq(id))
        .order_by_desc(state_version::Column::Id)
        .one(db)
        .await
}

/// What tells state versions apart, without the states themselves.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StateMark {
    pub id: StateVersionId,
    pub created_at: DateTime<Utc>,
    pub serial: i64,
    pub lineage: Option<String>,
    pub md5: String,
}

/// The mark of the newest state version of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn newest_state_mark(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<StateMark>, DbErr> {
    state_version::Entity::find()
        .select_only()
        .columns([
            state_version::Column::Id,
            state_version::Column::CreatedAt,
            state_version::Column::Serial,
            state_version::Column::Lineage,
            state_version::Column::Md5,
        ])
        .filter(state_version::Column::WorkspaceId.eq(id))
        .order_by_desc(state_version::Column::Id)
        .into_model()
        .one(db)
        .await
}

/// One state version of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn state(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: StateVersionId,
) -> Result<Option<state_version::Model>, DbErr> {
    let row = state_version::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.workspace_id == workspace))
}

/// Locks a state. Returns false if it is already locked.
///
/// # Errors
/// When the statement fails.
pub async fn lock_state(
    tx: &impl ConnectionTrait,
    id: WorkspaceId,
    lock: serde_json::Value,
    step: Option<WorkspaceStepId>,
) -> Result<bool, DbErr> {
    let row = workspace::ActiveModel {
        state_lock: ActiveValue::Set(Some(lock)),
        state_lock_step: ActiveValue::Set(step),
        ..Default::default()
    };
    let free = Condition::all().add(workspace::Column::Id.eq(id)).add(workspace::Column::StateLock.is_null());
    Ok(workspace::Entity::update_many().set(row).filter(free).exec(tx).await?.rows_affected == 1)
}

/// Unlocks a state; with `held_by` only if that step holds the lock.
///
/// # Errors
/// When the statement fails.
pub async fn unlock_state(
    tx: &impl ConnectionTrait,
    id: WorkspaceId,
    held_by: Option<WorkspaceStepId>,
) -> Result<(), DbErr> {
    let row = workspace::ActiveModel {
        state_lock: ActiveValue::Set(None),
        state_lock_step: ActiveValue::Set(None),
        ..Default::default()
    };
    let mut these = Condition::all().add(workspace::Column::Id.eq(id));
    if let Some(step) = held_by {
        these = these.add(workspace::Column::StateLockStep.eq(step));
    }
    workspace::Entity::update_many().set(row).filter(these).exec(tx).await?;
    Ok(())
}

/// The version that came with an upload.
///
/// # Errors
/// When the query fails.
pub async fn state_of_upload(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    upload: Uuid,
) -> Result<Option<StateVersionId>, DbErr> {
    let of = Condition::all()
        .add(state_version::Column::WorkspaceId.eq(workspace))
        .add(state_version::Column::UploadId.eq(upload));
    let found = state_version::Entity::find().select_only().column(state_version::Column::Id).filter(of);
    found.into_tuple().one(db).await
}

/// The newest state version of a workspace with a serial.
///
/// # Errors
/// When the query fails.
pub async fn state_of_serial(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    serial: i64,
) -> Result<Option<state_version::Model>, DbErr> {
    state_version::Entity::find()
        .filter(state_version::Column::WorkspaceId.eq(workspace))
        .filter(state_version::Column::Serial.eq(serial))
        .order_by_desc(state_version::Column::Id)
        .one(db)
        .await
}
