//! Which deliveries were received before, whatever received them.

use sea_orm::sea_query::{ExprTrait as _, SimpleExpr};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// The deliveries to a receiver that have this id, or the same body; both are unique.
pub(super) async fn known_deliveries<E: EntityTrait>(
    tx: &impl ConnectionTrait,
    receiver: SimpleExpr,
    (same_id, same_body): (SimpleExpr, SimpleExpr),
    limit: u64,
) -> Result<Vec<E::Model>, DbErr> {
    E::find().filter(receiver.and(same_id.or(same_body))).limit(limit).all(tx).await
}
