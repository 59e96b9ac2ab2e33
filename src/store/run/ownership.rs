//! Which server looks after a run: claimed with a lease, renewed, taken over when the lease has run out.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::RunState;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::open::open;

/// Who looks after runs, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

const ITS_TURN: &str = "(NOT run.in_turn OR NOT EXISTS (SELECT 1 FROM run older WHERE older.job_id = run.job_id \
     AND older.trigger = 'SCHEDULE' AND older.state IN ('QUEUED', 'RUNNING') AND older.number < run.number))";

/// Takes queued runs whose time has come and hands them to `lease.owner`; two servers never take the same.
///
/// # Errors
/// When a statement fails.
pub async fn claim(
    tx: &impl ConnectionTrait,
    lease: Lease,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let ids: Vec<RunId> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::NotBefore.lte(now))
        .filter(Expr::cust(ITS_TURN))
        .order_by_asc(run::Column::NotBefore)
        .order_by_asc(run::Column::Number)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    run::Entity::update_many()
        .col_expr(run::Column::State, Expr::value(RunState::Running))
        .col_expr(run::Column::LeaseOwner, Expr::value(lease.owner))
        .col_expr(run::Column::LeaseUntil, Expr::value(lease.until))
        .col_expr(run::Column::UpdatedAt, Expr::value(now))
        .filter(run::Column::Id.is_in(ids))
        .filter(run::Column::State.eq(RunState::Queued))
        .exec_with_returning(tx)
        .await
}

/// Which runs of other servers may be taken over.
#[derive(Clone, Debug)]
pub struct Orphans {
    /// The engines that the new owner can ask.
    pub places: Vec<String>,
    /// Runs on other engines only when their lease ran out before this.
    pub forlorn_before: DateTime<Utc>,
}

/// The owner's running runs, after those whose lease has run out were taken over.
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
        .add(run::Column::LeaseUntil.lt(orphans.forlorn_before));
    let orphaned = Condition::all().add(run::Column::LeaseUntil.lt(now)).add(reachable);
    let ids: Vec<RunId> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(run::Column::State.eq(RunState::Running))
        .filter(Condition::any().add(run::Column::LeaseOwner.eq(lease.owner)).add(orphaned))
        .order_by_asc(run::Column::LeaseUntil)
        .order_by_asc(run::Column::Number)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    run::Entity::update_many()
        .col_expr(run::Column::LeaseOwner, Expr::value(lease.owner))
        .col_expr(run::Column::LeaseUntil, Expr::value(lease.until))
        .filter(run::Column::Id.is_in(ids))
        .filter(run::Column::State.eq(RunState::Running))
        .exec_with_returning(tx)
        .await
}

/// Renews the lease of all of the owner's running runs.
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

/// Ends the leases of all other servers; only for a database that no other server can use.
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
