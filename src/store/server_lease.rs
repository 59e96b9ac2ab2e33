//! The leases of servers. A server renews one row; the runs that name it as their owner belong to it while that row lasts.
//!
//! Whoever takes over the runs of a server locks its row first, so that the server cannot renew it meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run::RunState;
use entity::{run, server_lease};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::run::open;

/// The most leases that are read at once.
const ROWS: u64 = 1000;

/// How long the expired lease of a server without runs is kept.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// The lease of a server.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

/// Renews a lease. It never moves backwards: several loops renew, and the slowest comes last.
///
/// # Errors
/// When the statement fails.
pub async fn renew(tx: &impl ConnectionTrait, lease: Lease) -> Result<(), DbErr> {
    let Lease { owner, until } = lease;
    let later = OnConflict::column(server_lease::Column::Id)
        .update_column(server_lease::Column::Until)
        .action_and_where(Expr::col((server_lease::Entity, server_lease::Column::Until)).lt(until))
        .to_owned();
    let row = server_lease::Model { id: owner, until }.into_active_model().reset_all();
    server_lease::Entity::insert(row).on_conflict(later).exec_without_returning(tx).await.map(|_| ())
}

/// Expires the lease of a server that starts and observes nothing more.
///
/// # Errors
/// When the statement fails.
pub async fn release(tx: &impl ConnectionTrait, owner: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    server_lease::Entity::update_many()
        .col_expr(server_lease::Column::Until, Expr::value(now - TimeDelta::seconds(1)))
        .filter(server_lease::Column::Id.eq(owner))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Expires all leases. Only for a database that no other server uses.
///
/// # Errors
/// When a statement fails.
pub async fn end_all(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    let ended = now - TimeDelta::seconds(1);
    server_lease::Entity::update_many()
        .col_expr(server_lease::Column::Until, Expr::value(ended))
        .filter(server_lease::Column::Until.gt(ended))
        .exec(tx)
        .await?;
    add_missing(tx, ended).await?;
    run::Entity::update_many()
        .col_expr(run::Column::LeaseUntil, Expr::value(ended))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseUntil.is_not_null())
        .exec(tx)
        .await
        .map(|_| ())
}

/// How many servers hold leases.
///
/// # Errors
/// When the query fails.
pub async fn count_live(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    server_lease::Entity::find().filter(server_lease::Column::Until.gte(now)).count(db).await
}

/// Whether another server than `but` holds a lease.
///
/// # Errors
/// When the query fails.
pub async fn any_other_live(db: &impl ConnectionTrait, but: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let live = server_lease::Entity::find()
        .filter(server_lease::Column::Until.gte(now))
        .filter(server_lease::Column::Id.ne(but))
        .limit(1)
        .one(db)
        .await?;
    Ok(live.is_some())
}

/// The expired leases of other servers than `but`.
///
/// # Errors
/// When the query fails.
pub async fn list_expired(
    db: &impl ConnectionTrait,
    but: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<server_lease::Model>, DbErr> {
    server_lease::Entity::find()
        .filter(server_lease::Column::Until.lt(now))
        .filter(server_lease::Column::Id.ne(but))
        .order_by_asc(server_lease::Column::Until)
        .limit(ROWS)
        .all(db)
        .await
}

/// Locks those of these leases that are still expired, so that nobody renews them. One that another server has locked is left out.
///
/// # Errors
/// When the query fails.
pub async fn lock_expired(
    tx: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<server_lease::Model>, DbErr> {
    server_lease::Entity::find()
        .filter(server_lease::Column::Id.is_in(ids))
        .filter(server_lease::Column::Until.lt(now))
        .order_by_asc(server_lease::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await
}

/// Deletes the leases of servers that are gone and have no runs. Returns their number.
///
/// # Errors
/// When the statement fails.
pub async fn delete_some(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let mut owners = Query::select();
    owners.column(run::Column::LeaseOwner).from(run::Entity).and_where(run::Column::LeaseOwner.is_not_null());
    let deleted = server_lease::Entity::delete_many()
        .filter(server_lease::Column::Until.lt(now - KEPT))
        .filter(server_lease::Column::Id.not_in_subquery(owners))
        .exec(tx)
        .await?;
    Ok(deleted.rows_affected)
}

/// Gives each owner of runs that has no lease one until `until`: it slept for so long that its lease was deleted. If it is alive, it
/// renews that lease in time; if not, its runs are taken over.
///
/// # Errors
/// When a statement fails.
pub async fn add_missing(tx: &impl ConnectionTrait, until: DateTime<Utc>) -> Result<(), DbErr> {
    let mut leases = Query::select();
    leases.column(server_lease::Column::Id).from(server_lease::Entity);
    let owners: Vec<Uuid> = run::Entity::find()
        .select_only()
        .column(run::Column::LeaseOwner)
        .distinct()
        .filter(open())
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.is_not_null())
        .filter(run::Column::LeaseUntil.is_null())
        .filter(run::Column::LeaseOwner.not_in_subquery(leases))
        .limit(ROWS)
        .into_tuple()
        .all(tx)
        .await?;
    for owner in owners {
        renew(tx, Lease { owner, until }).await?;
    }
    Ok(())
}
