//! The newest time that any server has seen, in whole seconds, and the rules of time zones that times were planned by. If the clock is
//! behind that time, it went back.

use chrono::{DateTime, Utc};
use entity::counter;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

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

/// The rules of time zones that the stored next times were planned by.
///
/// # Errors
/// When the query fails.
pub async fn zones(db: &impl ConnectionTrait) -> Result<Option<i64>, DbErr> {
    Ok(counter::Entity::find_by_id(counter::ZONES).one(db).await?.map(|row| row.value))
}

/// Stores a time, even if a newer one is stored, and the rules of time zones.
///
/// # Errors
/// When a statement fails.
pub async fn set(db: &impl ConnectionTrait, now: DateTime<Utc>, zones: i64) -> Result<(), DbErr> {
    for (name, value) in [(counter::CLOCK, now.timestamp()), (counter::ZONES, zones)] {
        let row = counter::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
        let replace = OnConflict::column(counter::Column::Name).update_column(counter::Column::Value).to_owned();
        counter::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    }
    Ok(())
}
