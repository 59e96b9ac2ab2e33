//! Which deliveries were received before, whatever received them.

use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// Whether one of the deliveries to a receiver has this id, or the same body.
pub(super) async fn is_known_delivery<E: EntityTrait>(
    tx: &impl ConnectionTrait,
    receiver: SimpleExpr,
    (same_id, same_body): (SimpleExpr, SimpleExpr),
) -> Result<bool, DbErr> {
    let found: Option<i32> = E::find()
        .select_only()
        .expr(Expr::cust("1"))
        .filter(receiver.and(same_id.or(same_body)))
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(found.is_some())
}
