//! The server that owns a run. It claims the run with a lease; other servers take over when the lease has expired.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::RunState;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::open::open;
use super::turn::ITS_TURN;

/// The owner of runs, and the expiry of its lease.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

/// Claims queued runs that are due for `lease.owner`. Two servers never claim the same run.
///
/// # Errors
/// When a statement fails.
pub async fn claim(
    tx: &impl ConnectionTrait,
    lease: Lease,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let due = Condition::all().add(run::Column::NotBefore.lte(now)).add(Expr::cust(ITS_TURN));
    take(tx, lease, now, (RunState::Queued, due, run::Column::NotBefore), limit).await
}

/// Which runs with expired leases may be taken over.
#[derive(Clone, Debug)]
pub struct Orphans {
    /// The engines that the new owner can reach.
    pub places: Vec<String>,
    /// Runs on other engines are taken over only if their lease expired before this time.
    pub unreachable_before: DateTime<Utc>,
}

/// The running runs of the owner, including orphans, which are taken over.
///
/// # Errors
/// When a statement fails.
pub async fn mine(
    tx: &impl ConnectionTrait,
    lease: Lease,
    orphans: &Orphans,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let reachable = Condition::any()
        .add(run::Column::Place.is_null())
        .add(run::Column::Place.is_in(orphans.places.iter().map(String::as_str)))
        .add(run::Column::LeaseUntil.lt(orphans.unreachable_before));
    let orphaned = Condition::all().add(run::Column::LeaseUntil.lt(now)).add(reachable);
    let held = Condition::any().add(run::Column::LeaseOwner.eq(lease.owner)).add(orphaned);
    take(tx, lease, now, (RunState::Running, held, run::Column::LeaseUntil), limit).await
}

/// Leases the runs in a state that match a filter, in the order of a column; queued runs become running. Rows that
/// another server has locked are skipped.
async fn take(
    tx: &impl ConnectionTrait,
    lease: Lease,
    now: DateTime<Utc>,
    (state, filter, order): (RunState, Condition, run::Column),
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let ids: Vec<RunId> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(run::Column::State.eq(state))
        .filter(filter)
        .order_by_asc(order)
        .order_by_asc(run::Column::Number)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut update = run::Entity::update_many()
        .col_expr(run::Column::LeaseOwner, Expr::value(lease.owner))
        .col_expr(run::Column::LeaseUntil, Expr::value(lease.until));
    if state == RunState::Queued {
        update = update
            .col_expr(run::Column::State, Expr::value(RunState::Running))
            .col_expr(run::Column::UpdatedAt, Expr::value(now));
    }
    update.filter(run::Column::Id.is_in(ids)).filter(run::Column::State.eq(state)).exec_with_returning(tx).await
}

/// Renews the lease of all running runs of the owner.
///
/// # Errors
/// When the statement fails.
pub async fn renew(db: &impl ConnectionTrait, lease: Lease) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::LeaseUntil, Expr::value(lease.until))
        .filter(run::Column::LeaseOwner.eq(lease.owner))
        .filter(open())
        .filter(run::Column::State.eq(RunState::Running))
        .exec(db)
        .await?;
    Ok(())
}

/// Expires all leases. Only for a database that no other server uses.
///
/// # Errors
/// When the statement fails.
pub async fn end_leases(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::LeaseUntil, Expr::value(now - chrono::TimeDelta::seconds(1)))
        .filter(run::Column::State.eq(RunState::Running))
        .exec(db)
        .await?;
    Ok(())
}
