//! Messages to receivers: the outbox.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::alert_delivery::{Column, Entity, Items, MessageKind, Model};
use entity::id::{AlertDeliveryId, AlertReceiverId, AlertRuleId};
use entity::webhook_delivery::DeliveryState;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use crate::store::outbox::Room;

/// A message waits for the older ones of its receiver that were tried, or that became due no later: messages arrive in order.
const IS_NEXT: &str = "NOT EXISTS (SELECT 1 FROM alert_delivery o WHERE o.receiver_id = alert_delivery.receiver_id \
     AND o.state = 'PENDING' AND o.id < alert_delivery.id AND ((o.attempts > 0 AND o.quiet_until IS NULL) OR o.next_attempt_at <= alert_delivery.next_attempt_at))";

/// A literal, because SQLite plans without bound values, and uses the index of pending messages only for one.
fn is_pending() -> Expr {
    Expr::cust("alert_delivery.state = 'PENDING'")
}

/// Stores a new message.
///
/// # Errors
/// When the statement fails.
pub async fn create_message(tx: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// The messages about a rule to a receiver that were not accepted yet, locked, in order.
///
/// # Errors
/// When the query fails.
pub async fn waiting_messages(
    tx: &impl ConnectionTrait,
    (receiver, rule): (AlertReceiverId, AlertRuleId),
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ReceiverId.eq(receiver))
        .filter(Column::RuleId.eq(rule))
        .filter(is_pending())
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
}

/// Replaces the alerts of a message that is locked and was not claimed yet. Without any, it is deleted: nothing is left to tell.
///
/// # Errors
/// When the statement fails; `RecordNotUpdated` if it was claimed.
pub async fn change_message(
    tx: &impl ConnectionTrait,
    id: AlertDeliveryId,
    (items, more): (Items, i32),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if items.0.is_empty() && more == 0 {
        Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Attempts.eq(0)).exec(tx).await?;
        return Ok(());
    }
    let changed = Entity::update_many()
        .col_expr(Column::Items, Expr::value(items))
        .col_expr(Column::More, Expr::value(more))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::Attempts.eq(0))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}

/// Replaces the alerts of a message that was claimed. Without any, it is deleted: nothing is left to tell.
///
/// # Errors
/// When the statement fails.
pub async fn change_claimed_message(tx: &impl ConnectionTrait, id: AlertDeliveryId, items: Items) -> Result<(), DbErr> {
    if items.0.is_empty() {
        Entity::delete_many().filter(Column::Id.eq(id)).filter(is_pending()).exec(tx).await?;
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Items, Expr::value(items))
        .filter(Column::Id.eq(id))
        .filter(is_pending())
        .exec(tx)
        .await?;
    Ok(())
}

/// When the newest message of a group was last changed: sent, tried, or stored.
///
/// # Errors
/// When the query fails.
pub async fn last_message(
    tx: &impl ConnectionTrait,
    (receiver, rule, kind): (AlertReceiverId, AlertRuleId, MessageKind),
) -> Result<Option<DateTime<Utc>>, DbErr> {
    of_group(receiver, rule, kind)
        .select_only()
        .column(Column::UpdatedAt)
        .order_by_desc(Column::Id)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await
}

fn of_group(receiver: AlertReceiverId, rule: AlertRuleId, kind: MessageKind) -> Select<Entity> {
    Entity::find().filter(Column::ReceiverId.eq(receiver)).filter(Column::RuleId.eq(rule)).filter(Column::Kind.eq(kind))
}

/// The newest messages to some receivers, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_messages(
    db: &impl ConnectionTrait,
    receivers: Vec<AlertReceiverId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    if receivers.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::ReceiverId.is_in(receivers)).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// The messages that are the next of their receivers, to which none is under way.
fn waiting(room: &Room) -> Select<Entity> {
    let next = Entity::find().filter(is_pending()).filter(Expr::cust(IS_NEXT));
    room.to_others(next, Column::ReceiverId)
}

/// When the next message is due that can begin.
///
/// # Errors
/// When the query fails.
pub async fn next_message(db: &impl ConnectionTrait, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
    let next = waiting(room).select_only().column(Column::NextAttemptAt);
    let next = match room.retries {
        0 => next.filter(Column::Attempts.eq(0)),
        _ => next,
    };
    next.order_by_asc(Column::NextAttemptAt).limit(1).into_tuple().one(db).await
}

/// Claims messages that are due, of each receiver one, first those that were never tried: their next attempt is moved to `until`. The
/// result has them as they were before.
///
/// # Errors
/// When a statement fails.
pub async fn claim_messages(
    tx: &impl ConnectionTrait,
    room: &Room,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Model>, DbErr> {
    let due = || {
        waiting(room)
            .filter(Column::NextAttemptAt.lte(now))
            .order_by_asc(Column::NextAttemptAt)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
    };
    let mut taken = HashSet::new();
    let mut rows = due().filter(Column::Attempts.eq(0)).limit(room.places as u64).all(tx).await?;
    rows.retain(|row| taken.insert(row.receiver_id));
    let retries = room.retries_beside(rows.len());
    if retries > 0 {
        let tried = due().filter(Column::Attempts.gt(0)).limit(retries).all(tx).await?;
        rows.extend(tried.into_iter().filter(|row| taken.insert(row.receiver_id)));
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::NextAttemptAt, Expr::value(until))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .col_expr(Column::QuietUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows)
}

/// Ends a message.
///
/// # Errors
/// When the statement fails.
pub async fn end_message(
    tx: &impl ConnectionTrait,
    id: AlertDeliveryId,
    (state, error): (DeliveryState, Option<String>),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Error, Expr::value(error))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(is_pending())
        .exec(tx)
        .await?;
    Ok(())
}

/// Puts a message off after a failed attempt.
///
/// # Errors
/// When the statement fails.
pub async fn release_message(
    tx: &impl ConnectionTrait,
    id: AlertDeliveryId,
    (next, error): (DateTime<Utc>, String),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(next))
        .col_expr(Column::Error, Expr::value(error))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(is_pending())
        .exec(tx)
        .await?;
    Ok(())
}

/// Puts a claimed message off to the end of quiet hours, as if it had not been claimed.
///
/// # Errors
/// When the statement fails.
pub async fn put_off_message(
    tx: &impl ConnectionTrait,
    (id, attempts): (AlertDeliveryId, i32),
    until: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(until))
        .col_expr(Column::QuietUntil, Expr::value(Some(until)))
        .col_expr(Column::Attempts, Expr::value(attempts))
        .filter(Column::Id.eq(id))
        .filter(is_pending())
        .exec(tx)
        .await?;
    Ok(())
}

/// Lets the messages of a receiver that wait for the end of its quiet hours be looked at again, because those have changed.
///
/// # Errors
/// When the statement fails.
pub async fn wake_quiet_messages(
    tx: &impl ConnectionTrait,
    receiver: AlertReceiverId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(now))
        .filter(Column::ReceiverId.eq(receiver))
        .filter(is_pending())
        .filter(Column::QuietUntil.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes messages that ended before `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_messages(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let ids: Vec<AlertDeliveryId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::UpdatedAt.lt(before))
        // In the words of the partial index.
        .filter(Expr::cust("alert_delivery.state <> 'PENDING'"))
        .order_by_asc(Column::UpdatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}
