//! Keys that sign personal and team tokens.

use entity::signing_key;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The keys, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<signing_key::Model>, DbErr> {
    signing_key::Entity::find().order_by_desc(signing_key::Column::Id).limit(PAGE).all(db).await
}

/// The key that signs, if there is one.
///
/// # Errors
/// When the query fails.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<signing_key::Model>, DbErr> {
    signing_key::Entity::find().order_by_desc(signing_key::Column::Id).one(db).await
}
