//! Links that sign in to the console once.

use chrono::{DateTime, Utc};
use entity::sign_in;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::row;

/// Takes the link with this SHA-256 away, so that it works only once. None if it has expired.
///
/// # Errors
/// When a statement fails.
pub async fn take(tx: &impl ConnectionTrait, hash: &str, now: DateTime<Utc>) -> Result<Option<sign_in::Model>, DbErr> {
    let found = sign_in::Entity::find().filter(sign_in::Column::Hash.eq(hash)).one(tx).await?;
    let Some(row) = found else { return Ok(None) };
    let deleted = sign_in::Entity::delete_by_id(row.id).exec(tx).await?;
    Ok((deleted.rows_affected == 1 && now < row.expires_at).then_some(row))
}

/// Deletes at most `limit` links that have expired. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn delete_expired(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let expired = sign_in::Column::ExpiresAt.lte(now);
    row::delete_some::<sign_in::Entity>(tx, sign_in::Column::Id, expired, limit).await
}
