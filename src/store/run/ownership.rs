//! The server that owns a run. It claims the run with a lease; other servers take over when the lease has expired.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::RunState;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::open::{lock_in_order, open};

/// The owner of runs, and the expiry of its lease.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

/// Claims those of `runs` that are still queued for `lease.owner`. Two servers never claim the same run.
///
/// # Errors
/// When a statement fails.
pub async fn claim(
    tx: &impl ConnectionTrait,
    lease: Lease,
    now: DateTime<Utc>,
    runs: &[RunId],
) -> Result<Vec<run::Model>, DbErr> {
    let these = Condition::all().add(run::Column::Id.is_in(runs.iter().copied()));
    let limit = u64::try_from(runs.len()).unwrap_or(u64::MAX);
    take(tx, lease, now, (RunState::Queued, these, run::Column::NotBefore), limit).await
}

/// Which runs with expired leases may be taken over.
#[derive(Clone, Debug)]
pub struct Orphans {
    /// The engines that the new owner can reach.
    pub places: Vec<String>,
    /// Runs on other engines are taken over only if their lease expired before this time.
    pub unreachable_before: DateTime<Utc>,
}

/// The running runs of an owner.
///
/// # Errors
/// When the query fails.
pub async fn list_owned(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<run::Model>, DbErr> {
    running().filter(run::Column::LeaseOwner.eq(owner)).order_by_asc(run::Column::Number).all(db).await
}

/// Whether there are orphans.
///
/// # Errors
/// When the query fails.
pub async fn has_orphans(db: &impl ConnectionTrait, orphans: &Orphans, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let id: Option<RunId> =
        running().select_only().column(run::Column::Id).filter(orphaned(orphans, now)).into_tuple().one(db).await?;
    Ok(id.is_some())
}

/// Takes over at most `limit` orphans, those first that have been orphaned for longest.
///
/// # Errors
/// When a statement fails.
pub async fn take_over(
    tx: &impl ConnectionTrait,
    lease: Lease,
    orphans: &Orphans,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    take(tx, lease, now, (RunState::Running, orphaned(orphans, now), run::Column::LeaseUntil), limit).await
}

/// The ids of the running runs of the owner and of orphans, for when one of them cannot be read or taken over.
///
/// # Errors
/// When the query fails.
pub async fn list_mine(
    db: &impl ConnectionTrait,
    lease: Lease,
    orphans: &Orphans,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<RunId>, DbErr> {
    running()
        .select_only()
        .column(run::Column::Id)
        .filter(held(lease, orphans, now))
        .order_by_asc(run::Column::Number)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Takes over one of the runs that `list_mine` returns.
///
/// # Errors
/// When a statement fails.
pub async fn mine_one(
    tx: &impl ConnectionTrait,
    lease: Lease,
    orphans: &Orphans,
    now: DateTime<Utc>,
    id: RunId,
) -> Result<Vec<run::Model>, DbErr> {
    let this = Condition::all().add(held(lease, orphans, now)).add(run::Column::Id.eq(id));
    take(tx, lease, now, (RunState::Running, this, run::Column::LeaseUntil), 1).await
}

fn running() -> Select<run::Entity> {
    run::Entity::find().filter(open()).filter(run::Column::State.eq(RunState::Running))
}

fn held(lease: Lease, orphans: &Orphans, now: DateTime<Utc>) -> Condition {
    Condition::any().add(run::Column::LeaseOwner.eq(lease.owner)).add(orphaned(orphans, now))
}

fn orphaned(orphans: &Orphans, now: DateTime<Utc>) -> Condition {
    let reachable = Condition::any()
        .add(run::Column::Place.is_null())
        .add(run::Column::Place.is_in(orphans.places.iter().map(String::as_str)))
        .add(run::Column::LeaseUntil.lt(orphans.unreachable_before));
    Condition::all().add(run::Column::LeaseUntil.lt(now)).add(reachable)
}

/// Leases the runs in a state that match a filter, in the order of a column; queued runs become running. For a new owner, the
/// start of the attempt begins anew, so that the time without a server does not count. Rows that
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
    // A new owner asks the runner to start the attempt only now.
    let asked = Expr::case(
        Condition::all().add(run::Column::LeaseOwner.eq(lease.owner)).add(run::Column::StartAskedAt.is_not_null()),
        Expr::col(run::Column::StartAskedAt),
    );
    let mut update = run::Entity::update_many()
        .col_expr(run::Column::StartAskedAt, asked.finally(Expr::value(now)).into())
        .col_expr(run::Column::LeaseOwner, Expr::value(lease.owner))
        .col_expr(run::Column::LeaseUntil, later(lease));
    if state == RunState::Queued {
        update = update
            .col_expr(run::Column::State, Expr::value(RunState::Running))
            .col_expr(run::Column::UpdatedAt, Expr::value(now));
    }
    update.filter(run::Column::Id.is_in(ids)).filter(run::Column::State.eq(state)).exec_with_returning(tx).await
}

/// The end of a lease after its renewal, which never moves backwards: several loops renew, and the slowest comes last.
fn later(lease: Lease) -> SimpleExpr {
    let own = Expr::col(run::Column::LeaseOwner).eq(lease.owner);
    let kept = own.and(Expr::col(run::Column::LeaseUntil).gt(lease.until));
    Expr::case(kept, Expr::col(run::Column::LeaseUntil)).finally(lease.until).into()
}

/// Renews the lease of all running runs of the owner.
///
/// # Errors
/// When the statement fails.
pub async fn renew(tx: &impl ConnectionTrait, lease: Lease) -> Result<(), DbErr> {
    let held = Condition::all()
        .add(run::Column::State.eq(RunState::Running))
        .add(run::Column::LeaseOwner.eq(lease.owner))
        .add(run::Column::LeaseUntil.lt(lease.until));
    let ids = lock_in_order(tx, held).await?;
    if !ids.is_empty() {
        run::Entity::update_many()
            .col_expr(run::Column::LeaseUntil, Expr::value(lease.until))
            .filter(run::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Expires the leases of an owner that starts and observes nothing more.
///
/// # Errors
/// When the statement fails.
pub async fn release_leases(tx: &impl ConnectionTrait, owner: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    let held = Condition::all().add(run::Column::State.eq(RunState::Running)).add(run::Column::LeaseOwner.eq(owner));
    let ids = lock_in_order(tx, held).await?;
    if !ids.is_empty() {
        run::Entity::update_many()
            .col_expr(run::Column::LeaseUntil, Expr::value(now - chrono::TimeDelta::seconds(1)))
            .filter(run::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The running runs of the owner, for when `renew` fails because of one of them.
///
/// # Errors
/// When the query fails.
pub async fn list_by_owner(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<RunId>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::LeaseOwner.eq(owner))
        .filter(open())
        .filter(run::Column::State.eq(RunState::Running))
        .into_tuple()
        .all(db)
        .await
}

/// Renews the lease of one running run of the owner.
///
/// # Errors
/// When the statement fails.
pub async fn renew_one(db: &impl ConnectionTrait, lease: Lease, id: RunId) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::LeaseUntil, Expr::value(lease.until))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::LeaseOwner.eq(lease.owner))
        .filter(run::Column::LeaseUntil.lt(lease.until))
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
