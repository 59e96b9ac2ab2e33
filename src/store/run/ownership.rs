//! The server that owns a run: it claims the run, and another one takes the run over when the lease of the server has expired.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run::RunState;
use entity::{run, server_lease};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
    Select,
};
use uuid::Uuid;

use super::open::open;

/// The most runs that one statement reads.
const TOGETHER: usize = 500;

/// Claims those of `runs` that are still queued for `owner`. Two servers never claim the same run.
///
/// # Errors
/// When a statement fails.
pub async fn claim(
    db: &impl ConnectionTrait,
    owner: Uuid,
    now: DateTime<Utc>,
    runs: &[RunId],
) -> Result<Vec<run::Model>, DbErr> {
    let these = Condition::all().add(run::Column::Id.is_in(runs.iter().copied()));
    run::Entity::update_many()
        .col_expr(run::Column::StartAskedAt, Expr::value(now))
        .col_expr(run::Column::LeaseOwner, Expr::value(owner))
        .col_expr(run::Column::State, Expr::value(RunState::Running))
        .col_expr(run::Column::UpdatedAt, Expr::value(now))
        .filter(run::Column::Id.in_subquery(free(RunState::Queued, these).into_query()))
        .exec_with_returning(db)
        .await
}

/// Which runs of servers that are gone may be taken over.
#[derive(Clone, Debug)]
pub struct Orphans {
    /// The expired leases of other servers.
    pub expired: Vec<server_lease::Model>,
    /// The engines that the new owner can reach.
    pub places: Vec<String>,
    /// Runs on other engines are taken over only if the lease expired before this time.
    pub unreachable_before: DateTime<Utc>,
}

/// The running runs of an owner.
///
/// # Errors
/// When the query fails.
pub async fn list_owned(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<RunId>, DbErr> {
    owned(owner).select_only().column(run::Column::Id).into_tuple().all(db).await
}

/// Those of some runs that are running and belong to an owner.
///
/// # Errors
/// When a query fails.
pub async fn list_owned_of(db: &impl ConnectionTrait, owner: Uuid, ids: &[RunId]) -> Result<Vec<run::Model>, DbErr> {
    let mut rows = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(TOGETHER) {
        let these = owned(owner).filter(run::Column::Id.is_in(chunk.iter().copied()));
        rows.extend(these.order_by_asc(run::Column::Number).all(db).await?);
    }
    Ok(rows)
}

/// The running runs of an owner whose cancellation is requested.
///
/// # Errors
/// When the query fails.
pub async fn list_owned_to_cancel(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<RunId>, DbErr> {
    let cancelled = owned(owner).filter(run::Column::CancelRequestedAt.is_not_null());
    cancelled.select_only().column(run::Column::Id).into_tuple().all(db).await
}

/// At most `limit` orphans of each kind: of servers with a lease, and of servers of release 0.2.
///
/// # Errors
/// When a query fails.
pub async fn list_orphans(
    db: &impl ConnectionTrait,
    orphans: &Orphans,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<RunId>, DbErr> {
    let list = |orphaned: Condition| {
        let found = run::Entity::find().select_only().column(run::Column::Id).filter(orphaned);
        found.order_by_asc(run::Column::Number).limit(limit).into_tuple::<RunId>()
    };
    let running = Condition::all().add(run::Column::State.eq(RunState::Running));
    let mut ids = list(running.add(orphaned_by_older(orphans, now))).all(db).await?;
    if !orphans.expired.is_empty() {
        // Only running runs have an owner.
        ids.extend(list(orphaned(orphans)).all(db).await?);
    }
    Ok(ids)
}

/// Takes over those of these runs that are still orphans. Returns them. Lock the expired leases first.
///
/// # Errors
/// When a statement fails.
pub async fn take_over(
    tx: &impl ConnectionTrait,
    owner: Uuid,
    orphans: &Orphans,
    now: DateTime<Utc>,
    runs: &[RunId],
) -> Result<Vec<RunId>, DbErr> {
    let any = Condition::any().add(orphaned(orphans)).add(orphaned_by_older(orphans, now));
    let these = Condition::all().add(run::Column::Id.is_in(runs.iter().copied())).add(any);
    let ids = lock_free(tx, RunState::Running, these).await?;
    if !ids.is_empty() {
        run::Entity::update_many()
            // The time without a server does not count: the new owner asks the runner to start the attempt only now.
            .col_expr(run::Column::StartAskedAt, Expr::value(now))
            .col_expr(run::Column::LeaseOwner, Expr::value(owner))
            .col_expr(run::Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(run::Column::Id.is_in(ids.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(ids)
}

fn owned(owner: Uuid) -> Select<run::Entity> {
    let running = run::Entity::find().filter(open()).filter(run::Column::State.eq(RunState::Running));
    running.filter(run::Column::LeaseOwner.eq(owner))
}

/// Runs of a server whose lease has expired.
fn orphaned(orphans: &Orphans) -> Condition {
    let expired = |long: bool| {
        let chosen = orphans.expired.iter().filter(move |lease| !long || lease.until < orphans.unreachable_before);
        run::Column::LeaseOwner.is_in(chosen.map(|lease| lease.id))
    };
    let reachable = reachable(orphans).add(expired(true));
    Condition::all().add(expired(false)).add(run::Column::LeaseUntil.is_null()).add(reachable)
}

/// Runs of a server of release 0.2, which have leases of their own.
fn orphaned_by_older(orphans: &Orphans, now: DateTime<Utc>) -> Condition {
    let reachable = reachable(orphans).add(run::Column::LeaseUntil.lt(orphans.unreachable_before));
    Condition::all().add(run::Column::LeaseUntil.lt(now)).add(reachable)
}

fn reachable(orphans: &Orphans) -> Condition {
    let here = run::Column::Place.is_in(orphans.places.iter().map(String::as_str));
    Condition::any().add(run::Column::Place.is_null()).add(here)
}

/// Locks the runs in a state that match a filter. Returns them.
async fn lock_free(tx: &impl ConnectionTrait, state: RunState, filter: Condition) -> Result<Vec<RunId>, DbErr> {
    free(state, filter).into_tuple().all(tx).await
}

/// Locks the runs in a state that match a filter, in the order of their numbers. Those that another server has locked are left out.
fn free(state: RunState, filter: Condition) -> Select<run::Entity> {
    run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(run::Column::State.eq(state))
        .filter(filter)
        .order_by_asc(run::Column::Number)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
}
