//! Sessions of the console.

use chrono::{DateTime, Utc};
use entity::id::SessionId;
use entity::session;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;
use super::row;

/// The session whose cookie has this SHA-256.
///
/// # Errors
/// When the query fails.
pub async fn by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find().filter(session::Column::Hash.eq(hash)).one(db).await
}

/// The sessions of these principals, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_by_principals(
    db: &impl ConnectionTrait,
    principals: Vec<String>,
) -> Result<Vec<session::Model>, DbErr> {
    session::Entity::find()
        .filter(session::Column::Principal.is_in(principals))
        .order_by_desc(session::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Records when a session was last used.
///
/// # Errors
/// When the statement fails.
pub async fn set_last_use(db: &impl ConnectionTrait, id: SessionId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = session::ActiveModel { used_at: ActiveValue::Set(now), ..Default::default() };
    session::Entity::update_many().set(row).filter(session::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes at most `limit` sessions that have expired. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn delete_expired(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let expired = session::Column::ExpiresAt.lte(now);
    row::delete_some::<session::Entity>(tx, session::Column::Id, expired, limit).await
}
