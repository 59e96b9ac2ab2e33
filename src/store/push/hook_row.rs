//! Webhooks of the repositories of workspaces, and their events.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, WorkspaceId, WorkspaceWebhookId};
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    UpdateMany,
};

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

/// A workspace whose repository is polled: its webhook, its repository, and its branch.
pub type PolledWorkspace = (WorkspaceWebhookId, String, String);

/// Up to `limit` workspaces of an organization whose repositories are polled.
///
/// # Errors
/// When the query fails.
pub async fn list_polled(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    limit: u64,
) -> Result<Vec<PolledWorkspace>, DbErr> {
    let webhooks = workspace::Entity::belongs_to(workspace_webhook::Entity)
        .from(workspace::Column::WebhookId)
        .to(workspace_webhook::Column::Id);
    workspace::Entity::find()
        .join(JoinType::InnerJoin, webhooks.into())
        .select_only()
        .column(workspace_webhook::Column::Id)
        .column(workspace::Column::Source)
        .column(workspace::Column::Branch)
        .filter(workspace::Column::OrganizationId.eq(organization))
        .filter(workspace::Column::Deleted.eq(false))
        .filter(workspace_webhook::Column::PollSeconds.is_not_null())
        .order_by_asc(workspace::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// What several webhooks start.
///
/// # Errors
/// When the query fails.
pub async fn events_of(
    db: &impl ConnectionTrait,
    ids: Vec<WorkspaceWebhookId>,
) -> Result<Vec<workspace_webhook_event::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let most = PAGE * ids.len() as u64;
    let of = workspace_webhook_event::Column::WebhookId.is_in(ids);
    workspace_webhook_event::Entity::find().filter(of).limit(most).all(db).await
}

/// Has repositories polled as soon as possible, because a push was delivered for them. If one is being polled, it is polled again.
///
/// # Errors
/// When the statement fails.
pub async fn ask_for_polls(
    tx: &impl ConnectionTrait,
    ids: Vec<WorkspaceWebhookId>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let asked = poll_at(now).filter(workspace_webhook::Column::PollSeconds.is_not_null());
    Ok(asked.filter(workspace_webhook::Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}

/// Has the repositories polled now whose polls are due before `until`: the only server that can have claimed them has begun anew.
///
/// # Errors
/// When the statement fails.
pub async fn release_polls(tx: &impl ConnectionTrait, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<(), DbErr> {
    poll_at(now).filter(workspace_webhook::Column::NextPollAt.lte(until)).exec(tx).await.map(|_| ())
}

fn poll_at(now: DateTime<Utc>) -> UpdateMany<workspace_webhook::Entity> {
    let row = workspace_webhook::ActiveModel { next_poll_at: ActiveValue::Set(Some(now)), ..Default::default() };
    workspace_webhook::Entity::update_many().set(row)
}
