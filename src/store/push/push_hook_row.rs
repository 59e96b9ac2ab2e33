//! Push hooks of organizations, and what was delivered to them.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PushHookId};
use entity::push_hook_delivery::{Column, Entity};
use entity::{push_hook, push_hook_delivery};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::known_delivery::is_known_delivery;
use crate::store::page::PAGE;
use crate::store::row::delete_some;

/// The push hooks of an organization, by age.
///
/// # Errors
/// When the query fails.
pub async fn list_hooks(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<push_hook::Model>, DbErr> {
    push_hook::Entity::find()
        .filter(push_hook::Column::OrganizationId.eq(id))
        .order_by_asc(push_hook::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// A push hook, locked until the transaction ends, so that it accepts one delivery at a time. None if it is gone.
///
/// # Errors
/// When the query fails.
pub async fn lock_hook(tx: &impl ConnectionTrait, id: PushHookId) -> Result<Option<push_hook::Model>, DbErr> {
    push_hook::Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Whether a delivery was received before: by its id, or with the same body.
///
/// # Errors
/// When the query fails.
pub async fn is_hook_delivery_known(
    tx: &impl ConnectionTrait,
    hook: PushHookId,
    (delivery, digest): (&str, &str),
) -> Result<bool, DbErr> {
    let of = Column::HookId.eq(hook);
    is_known_delivery::<Entity>(tx, of, (Column::Delivery.eq(delivery), Column::Digest.eq(digest))).await
}

/// The newest deliveries to a push hook, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_hook_deliveries(
    db: &impl ConnectionTrait,
    hook: PushHookId,
    limit: u64,
) -> Result<Vec<push_hook_delivery::Model>, DbErr> {
    Entity::find().filter(Column::HookId.eq(hook)).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Deletes deliveries that are older than `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_hook_deliveries(
    tx: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    delete_some::<Entity>(tx, Column::Id, Column::CreatedAt.lt(before), limit).await
}
