//! Keys that sign the identity tokens of workspace steps.

use chrono::{DateTime, Utc};
use entity::id::IdentityKeyId;
use entity::identity_key::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The keys, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Id).limit(PAGE).all(db).await
}

/// The newest key, if there is one.
///
/// # Errors
/// When the query fails.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Id).one(db).await
}

/// Deletes the keys that another one had replaced before `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_replaced(tx: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let signing: Option<IdentityKeyId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CreatedAt.lt(before))
        .order_by_desc(Column::Id)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    let Some(id) = signing else { return Ok(0) };
    Ok(Entity::delete_many().filter(Column::Id.lt(id)).exec(tx).await?.rows_affected)
}
