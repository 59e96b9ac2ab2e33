//! Webhooks of the repositories of workspaces, and their events.

use chrono::{DateTime, Utc};
use entity::id::{WorkspaceId, WorkspaceWebhookId};
use entity::workspace_webhook::Heads;
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// One webhook.
///
/// # Errors
/// When the query fails.
pub async fn by_id(
    db: &impl ConnectionTrait,
    id: WorkspaceWebhookId,
) -> Result<Option<workspace_webhook::Model>, DbErr> {
    workspace_webhook::Entity::find_by_id(id).one(db).await
}

/// The webhook of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn of_workspace(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
) -> Result<Option<workspace_webhook::Model>, DbErr> {
    workspace_webhook::Entity::find().filter(workspace_webhook::Column::WorkspaceId.eq(id)).one(db).await
}

/// A webhook, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(
    tx: &impl ConnectionTrait,
    id: WorkspaceWebhookId,
) -> Result<Option<workspace_webhook::Model>, DbErr> {
    workspace_webhook::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// What a webhook starts, in the order of creation.
///
/// # Errors
/// When the query fails.
pub async fn events(
    db: &impl ConnectionTrait,
    id: WorkspaceWebhookId,
) -> Result<Vec<workspace_webhook_event::Model>, DbErr> {
    workspace_webhook_event::Entity::find()
        .filter(workspace_webhook_event::Column::WebhookId.eq(id))
        .order_by_asc(workspace_webhook_event::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Notes in a workspace which webhook it has, or that it has none.
///
/// # Errors
/// When the statement fails.
pub async fn set_of_workspace(
    tx: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: Option<WorkspaceWebhookId>,
) -> Result<(), DbErr> {
    let row = workspace::ActiveModel { webhook_id: ActiveValue::Set(id), ..Default::default() };
    workspace::Entity::update_many().set(row).filter(workspace::Column::Id.eq(workspace)).exec(tx).await.map(|_| ())
}

/// Sets with whose rights the jobs of a webhook act.
///
/// # Errors
/// When the statement fails.
pub async fn set_principal(tx: &impl ConnectionTrait, id: WorkspaceWebhookId, principal: String) -> Result<(), DbErr> {
    let row = workspace_webhook::ActiveModel { principal: ActiveValue::Set(Some(principal)), ..Default::default() };
    let this = workspace_webhook::Column::Id.eq(id);
    workspace_webhook::Entity::update_many().set(row).filter(this).exec(tx).await.map(|_| ())
}

/// Webhooks whose repositories are to be polled now, the longest waiting ones first.
///
/// # Errors
/// When the query fails.
pub async fn list_due_polls(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WorkspaceWebhookId>, DbErr> {
    workspace_webhook::Entity::find()
        .select_only()
        .column(workspace_webhook::Column::Id)
        .filter(workspace_webhook::Column::NextPollAt.lte(now))
        .order_by_asc(workspace_webhook::Column::NextPollAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Stores what a poll found, or why it found nothing.
///
/// # Errors
/// When the statement fails.
pub async fn keep_polled(
    tx: &impl ConnectionTrait,
    id: WorkspaceWebhookId,
    found: Result<Heads, String>,
) -> Result<(), DbErr> {
    let row = match found {
        Ok(heads) => workspace_webhook::ActiveModel {
            polled: ActiveValue::Set(Some(heads)),
            poll_error: ActiveValue::Set(None),
            ..Default::default()
        },
        Err(reason) => {
            workspace_webhook::ActiveModel { poll_error: ActiveValue::Set(Some(reason)), ..Default::default() }
        }
    };
    let this = workspace_webhook::Column::Id.eq(id);
    workspace_webhook::Entity::update_many().set(row).filter(this).exec(tx).await.map(|_| ())
}
