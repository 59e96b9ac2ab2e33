//! Codes of `terraform login`.

use chrono::{DateTime, Utc};
use entity::login_code;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::row;

/// Takes the code with this SHA-256 away, so that it works only once. None if it has expired.
///
/// # Errors
/// When a statement fails.
pub async fn take(
    tx: &impl ConnectionTrait,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<login_code::Model>, DbErr> {
    let found = login_code::Entity::find().filter(login_code::Column::Hash.eq(hash)).one(tx).await?;
    let Some(row) = found else { return Ok(None) };
    let deleted = login_code::Entity::delete_by_id(row.id).exec(tx).await?;
    Ok((deleted.rows_affected == 1 && now < row.expires_at).then_some(row))
}

/// Deletes at most `limit` codes that have expired. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn delete_expired(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let expired = login_code::Column::ExpiresAt.lte(now);
    row::delete_some::<login_code::Entity>(tx, login_code::Column::Id, expired, limit).await
}
