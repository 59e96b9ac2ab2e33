//! The resources of states, as lists in sealed parts.

use chrono::{DateTime, Utc};
use entity::id::StateVersionId;
use entity::state_listing;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// The parts of the list of a state from the first number to the last.
///
/// # Errors
/// When the query fails.
pub async fn listing_parts(
    db: &impl ConnectionTrait,
    id: StateVersionId,
    (first, last): (i32, i32),
) -> Result<Vec<state_listing::Model>, DbErr> {
    state_listing::Entity::find()
        .filter(state_listing::Column::StateVersionId.eq(id))
        .filter(state_listing::Column::Number.gte(first))
        .filter(state_listing::Column::Number.lte(last))
        .order_by_asc(state_listing::Column::Number)
        .limit(PAGE)
        .all(db)
        .await
}

/// Deletes the list of a state.
///
/// # Errors
/// When the statement fails.
pub async fn delete_listing(tx: &impl ConnectionTrait, id: StateVersionId) -> Result<u64, DbErr> {
    let these = state_listing::Column::StateVersionId.eq(id);
    Ok(state_listing::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}

/// Deletes parts that were stored before `before` and belong to no state version: it was refused or deleted. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_listings(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    const ALONE: &str = "NOT EXISTS (SELECT 1 FROM state_version v WHERE v.id = state_listing.state_version_id)";
    let found: Vec<(StateVersionId, i32)> = state_listing::Entity::find()
        .select_only()
        .columns([state_listing::Column::StateVersionId, state_listing::Column::Number])
        .filter(state_listing::Column::CreatedAt.lt(before))
        .filter(Expr::cust(ALONE))
        .order_by_asc(state_listing::Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let these = found.into_iter().fold(Condition::any(), |these, (id, number)| {
        let one = Condition::all().add(state_listing::Column::StateVersionId.eq(id));
        these.add(one.add(state_listing::Column::Number.eq(number)))
    });
    Ok(state_listing::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}
