//! Webhooks and their deliveries.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::id::{DeliveryId, OrganizationId, WebhookId};
use entity::webhook_delivery::DeliveryState;
use entity::{webhook, webhook_delivery};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::outbox::Room;
use super::page::PAGE;

/// The webhooks of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::Column::OrganizationId.eq(id))
        .order_by_asc(webhook::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The enabled webhooks of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_enabled(
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

/// Stores a pending delivery.
///
/// # Errors
/// When the statement fails.
pub async fn create_delivery(tx: &impl ConnectionTrait, row: webhook_delivery::Model) -> Result<(), DbErr> {
    webhook_delivery::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// The newest deliveries of a webhook about official events.
///
/// # Errors
/// When the query fails.
pub async fn list_official_deliveries(
    db: &impl ConnectionTrait,
    webhook: WebhookId,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        // In the words of the partial index.
        .filter(Expr::cust("webhook_delivery.own_event IS NULL"))
        .order_by_desc(webhook_delivery::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// The newest deliveries of a webhook.
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

/// The deliveries that wait, to webhooks to which none is under way.
fn waiting(room: &Room) -> Select<webhook_delivery::Entity> {
    let waiting = webhook_delivery::Entity::find().filter(webhook_delivery::Column::State.eq(DeliveryState::Pending));
    room.to_others(waiting, webhook_delivery::Column::WebhookId)
}

/// Claims deliveries that are due, of each webhook one, first those that were never tried: their next attempt is moved to `until`, so that
/// no other server claims them.
///
/// # Errors
/// When a statement fails.
pub async fn claim_deliveries(
    tx: &impl ConnectionTrait,
    room: &Room,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    use sea_orm::sea_query::{LockBehavior, LockType};
    let due = || {
        waiting(room)
            .filter(webhook_delivery::Column::NextAttemptAt.lte(now))
            .order_by_asc(webhook_delivery::Column::NextAttemptAt)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
    };
    let mut taken = HashSet::new();
    let new = due().filter(webhook_delivery::Column::Attempts.eq(0)).limit(room.places as u64);
    let mut rows = new.all(tx).await?;
    rows.retain(|row| taken.insert(row.webhook_id));
    let retries = room.retries_beside(rows.len());
    if retries > 0 {
        let tried = due().filter(webhook_delivery::Column::Attempts.gt(0)).limit(retries).all(tx).await?;
        rows.extend(tried.into_iter().filter(|row| taken.insert(row.webhook_id)));
    }
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

/// When the next delivery is due that can begin.
///
/// # Errors
/// When the query fails.
pub async fn next_delivery(db: &impl ConnectionTrait, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
    let next = waiting(room).select_only().column(webhook_delivery::Column::NextAttemptAt);
    let next = match room.retries {
        0 => next.filter(webhook_delivery::Column::Attempts.eq(0)),
        _ => next,
    };
    next.order_by_asc(webhook_delivery::Column::NextAttemptAt).limit(1).into_tuple().one(db).await
}

/// Deletes deliveries that ended before `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_deliveries(
    tx: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let ids: Vec<DeliveryId> = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .filter(webhook_delivery::Column::UpdatedAt.lt(before))
        // In the words of the partial index.
        .filter(Expr::cust("webhook_delivery.state <> 'PENDING'"))
        .order_by_asc(webhook_delivery::Column::UpdatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let these = webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::Id.is_in(ids));
    Ok(these.exec(tx).await?.rows_affected)
}
