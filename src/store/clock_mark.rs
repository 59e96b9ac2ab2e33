//! The newest time that any server has seen, in whole seconds. If the clock is behind it, the clock went back.

use chrono::{DateTime, Utc};
use entity::counter;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

/// The newest time.
///
/// # Errors
/// When the query fails.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = counter::Entity::find_by_id(counter::CLOCK).one(db).await?;
    Ok(row.and_then(|row| DateTime::from_timestamp(row.value, 0)))
}

/// Stores a time, unless a newer one is stored.
///
/// # Errors
/// When the statement fails.
pub async fn raise(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = counter::ActiveModel { name: Set(counter::CLOCK.to_owned()), value: Set(now.timestamp()) };
    let older = Expr::col((counter::Entity, counter::Column::Value)).lt(now.timestamp());
    let conflict = OnConflict::column(counter::Column::Name)
        .update_column(counter::Column::Value)
        .action_and_where(older)
        .to_owned();
    counter::Entity::insert(row).on_conflict(conflict).exec_without_returning(db).await.map(|_| ())
}

/// Stores a time, even if a newer one is stored.
///
/// # Errors
/// When the statement fails.
pub async fn reset(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::value(now.timestamp()))
        .filter(counter::Column::Name.eq(counter::CLOCK))
        .exec(db)
        .await
        .map(|_| ())
}
