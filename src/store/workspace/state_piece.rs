//! Pieces of large states.

use chrono::{DateTime, Utc};
use entity::id::StateVersionId;
use entity::state_piece;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Deletes the pieces of a state.
///
/// # Errors
/// When the statement fails.
pub async fn delete_pieces(tx: &impl ConnectionTrait, id: StateVersionId) -> Result<u64, DbErr> {
    let these = state_piece::Column::StateVersionId.eq(id);
    Ok(state_piece::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}

/// Deletes pieces that were stored before `before` and belong to no state version: it was refused or deleted. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_pieces(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    const ALONE: &str = "NOT EXISTS (SELECT 1 FROM state_version v WHERE v.id = state_piece.state_version_id)";
    let found: Vec<(StateVersionId, i32)> = state_piece::Entity::find()
        .select_only()
        .columns([state_piece::Column::StateVersionId, state_piece::Column::Number])
        .filter(state_piece::Column::CreatedAt.lt(before))
        .filter(Expr::cust(ALONE))
        .order_by_asc(state_piece::Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let these = found.into_iter().fold(Condition::any(), |these, (id, number)| {
        let one = Condition::all().add(state_piece::Column::StateVersionId.eq(id));
        these.add(one.add(state_piece::Column::Number.eq(number)))
    });
    Ok(state_piece::Entity::delete_many().filter(these).exec(tx).await?.rows_affected)
}
