//! What somebody did, and the calls of webhooks that follow from it.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, EventId, OrganizationId, ProjectId, WebhookId};
use entity::webhook_delivery::DeliveryState;
use entity::{event, webhook, webhook_delivery};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Order, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::PAGE;

/// Stores an event, in the transaction of what it tells of.
///
/// # Errors
/// When the statement fails.
pub async fn create(tx: &impl ConnectionTrait, row: event::Model) -> Result<(), DbErr> {
    event::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// Which events are wanted; none stands for all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub kind: Option<String>,
    pub target: Option<String>,
    pub target_id: Option<uuid::Uuid>,
    pub sub_target: Option<String>,
    pub triggered_by: Option<String>,
    pub origin: Option<entity::deployment::Origin>,
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentId>,
}

/// Where a page of events begins.
#[derive(Clone, Copy, Debug)]
pub enum From {
    Newest,
    /// Older than this one.
    Behind(EventId),
    /// Newer than this one.
    Before(EventId),
}

/// A page of events, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    wanted: Wanted,
    from: From,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    use event::Column;
    let Wanted { from: since, to, kind, target, target_id, sub_target, triggered_by, origin, project, environment } =
        wanted;
    let mut select = event::Entity::find().filter(Column::OrganizationId.eq(organization));
    let conditions = [
        since.map(|time| Column::CreatedAt.gte(time)),
        to.map(|time| Column::CreatedAt.lte(time)),
        kind.map(|kind| Column::Kind.eq(kind)),
        target.map(|target| Column::Target.eq(target)),
        target_id.map(|id| Column::TargetId.eq(id)),
        sub_target.map(|target| Column::SubTarget.eq(target)),
        triggered_by.map(|name| Column::TriggeredBy.eq(name)),
        origin.map(|origin| Column::Origin.eq(origin)),
        project.map(|id| Column::ProjectId.eq(id)),
        environment.map(|id| Column::EnvironmentId.eq(id)),
        match from {
            From::Newest => None,
            From::Behind(id) => Some(Column::Id.lt(id)),
            From::Before(id) => Some(Column::Id.gt(id)),
        },
    ];
    for condition in conditions.into_iter().flatten() {
        select = select.filter(condition);
    }
    let order = if matches!(from, From::Before(_)) { Order::Asc } else { Order::Desc };
    let mut rows = select.order_by(Column::Id, order).limit(limit).all(db).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    Ok(rows)
}

/// The enabled webhooks of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_enabled_webhooks(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::Column::OrganizationId.eq(organization))
        .filter(webhook::Column::Enabled.eq(true))
        .limit(PAGE)
        .all(db)
        .await
}

/// Stores a call that is to be made.
///
/// # Errors
/// When the statement fails.
pub async fn create_delivery(tx: &impl ConnectionTrait, row: webhook_delivery::Model) -> Result<(), DbErr> {
    webhook_delivery::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// The newest calls of a webhook.
///
/// # Errors
/// When the query fails.
pub async fn list_deliveries(
    db: &impl ConnectionTrait,
    webhook: WebhookId,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        .order_by_desc(webhook_delivery::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Takes calls whose time has come, and moves their next time on, so that nobody else takes them meanwhile.
///
/// # Errors
/// When a statement fails.
pub async fn claim_deliveries(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    use sea_orm::sea_query::{LockBehavior, LockType};
    let rows = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::State.eq(DeliveryState::Pending))
        .filter(webhook_delivery::Column::NextAttemptAt.lte(now))
        .order_by_asc(webhook_delivery::Column::NextAttemptAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::NextAttemptAt, Expr::value(until))
            .filter(webhook_delivery::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows)
}

/// When the next call is due.
///
/// # Errors
/// When the query fails.
pub async fn next_delivery(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::NextAttemptAt)
        .filter(webhook_delivery::Column::State.eq(DeliveryState::Pending))
        .order_by_asc(webhook_delivery::Column::NextAttemptAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}
