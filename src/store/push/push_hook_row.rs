//! Push hooks of organizations, and what was delivered to them.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PushHookId};
use entity::push_hook_delivery::{Column, Entity};
use entity::{push_hook, push_hook_delivery};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::known_delivery::known_deliveries;
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

/// What was received before with the id of a delivery, or with the same body, which has a digest for each thing that it says.
///
/// # Errors
/// When the query fails.
pub async fn known_hook_deliveries(
    tx: &impl ConnectionTrait,
    hook: PushHookId,
    (delivery, digests): (&str, &[String]),
) -> Result<Vec<push_hook_delivery::Model>, DbErr> {
    let same = (Column::Delivery.eq(delivery), Column::Digest.is_in(digests.iter().map(String::as_str)));
    known_deliveries::<Entity>(tx, Column::HookId.eq(hook), same, 1 + digests.len() as u64).await
}

/// What was delivered last about a branch.
///
/// # Errors
/// When the query fails.
pub async fn newest_hook_delivery(
    tx: &impl ConnectionTrait,
    hook: PushHookId,
    (repository, branch): (&str, &str),
) -> Result<Option<push_hook_delivery::Model>, DbErr> {
    Entity::find()
        .filter(Column::HookId.eq(hook))
        .filter(Column::Repository.eq(repository))
        .filter(Column::Branch.eq(branch))
        .order_by_desc(Column::Id)
        .one(tx)
        .await
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
