//! Runs. Their state changes only through `claim` and `advance`, which name the state they expect.

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, JobId, RunId};
use entity::run;
use entity::run::{RunState, RunnerKind, Trigger};
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// Who looks after runs, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

/// Stores new runs and numbers them; a time of a schedule that has its run already is left out.
/// Returns how many were stored.
///
/// # Errors
/// When a statement fails.
pub async fn create(tx: &impl ConnectionTrait, rows: Vec<run::Model>) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let first = super::take_numbers(tx, entity::counter::RUN, i64::try_from(rows.len()).unwrap_or(1)).await?;
    let rows =
        rows.into_iter().zip(first..).map(|(row, number)| run::Model { number, ..row }.into_active_model().reset_all());
    let conflict = OnConflict::columns([run::Column::JobId, run::Column::ScheduledFor]).do_nothing().to_owned();
    run::Entity::insert_many(rows).on_conflict(conflict).exec_without_returning(tx).await
}

/// One run.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: RunId) -> Result<Option<run::Model>, DbErr> {
    run::Entity::find_by_id(id).one(db).await
}

/// Several runs.
///
/// # Errors
/// When the query fails.
pub async fn list_by_ids(db: &impl ConnectionTrait, ids: Vec<RunId>) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find().filter(run::Column::Id.is_in(ids)).all(db).await
}

/// The runs of a job, the newest first, from below a number.
///
/// # Errors
/// When the query fails.
pub async fn list_by_job(
    db: &impl ConnectionTrait,
    job: JobId,
    below: Option<i64>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let mut select = run::Entity::find().filter(run::Column::JobId.eq(job));
    if let Some(below) = below {
        select = select.filter(run::Column::Number.lt(below));
    }
    select.order_by_desc(run::Column::Number).limit(limit).all(db).await
}

fn open() -> sea_orm::sea_query::SimpleExpr {
    run::Column::State.is_in([RunState::Queued, RunState::Running])
}

/// Which of `jobs` have a run of their schedule that has not ended.
///
/// # Errors
/// When the query fails.
pub async fn jobs_with_open_schedule(db: &impl ConnectionTrait, jobs: Vec<JobId>) -> Result<Vec<JobId>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::JobId)
        .distinct()
        .filter(run::Column::JobId.is_in(jobs))
        .filter(run::Column::Trigger.eq(Trigger::Schedule))
        .filter(open())
        .into_tuple()
        .all(db)
        .await
}

/// How many runs of a job have not ended.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_job(db: &impl ConnectionTrait, job: JobId) -> Result<u64, DbErr> {
    run::Entity::find().filter(run::Column::JobId.eq(job)).filter(open()).count(db).await
}

/// How many running runs a server looks after.
///
/// # Errors
/// When the query fails.
pub async fn count_by_owner(db: &impl ConnectionTrait, owner: Uuid) -> Result<u64, DbErr> {
    run::Entity::find()
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .count(db)
        .await
}

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
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::NotBefore.lte(now))
        .order_by_asc(run::Column::NotBefore)
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

/// Renews the lease of the owner's running runs and takes over those whose lease has run out.
/// Returns the runs that are now the owner's.
///
/// # Errors
/// When a statement fails.
pub async fn renew(
    tx: &impl ConnectionTrait,
    lease: Lease,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let ids: Vec<RunId> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::State.eq(RunState::Running))
        .filter(Condition::any().add(run::Column::LeaseOwner.eq(lease.owner)).add(run::Column::LeaseUntil.lt(now)))
        .order_by_asc(run::Column::LeaseUntil)
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

/// The state and the owner that a run is expected to have.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub state: RunState,
    pub owner: Option<Uuid>,
}

/// Replaces a run that still is as expected; false when it no longer is.
///
/// # Errors
/// When the statement fails.
pub async fn advance(tx: &impl ConnectionTrait, expected: Expected, row: run::Model) -> Result<bool, DbErr> {
    use sea_orm::ActiveValue::NotSet;
    let id = row.id;
    let mut active = row.into_active_model().reset_all();
    // Written by others while a runner is asked: never overwritten with what was read before.
    active.cancel_requested_at = NotSet;
    let owner = match expected.owner {
        Some(owner) => run::Column::LeaseOwner.eq(owner),
        None => run::Column::LeaseOwner.is_null(),
    };
    let changed = run::Entity::update_many()
        .set(active)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(expected.state))
        .filter(owner)
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Notes which runner a run was handed to.
///
/// # Errors
/// When the statement fails.
pub async fn set_runner(db: &impl ConnectionTrait, id: RunId, runner: RunnerKind) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::Runner, Expr::value(runner))
        .filter(run::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Asks for the end of the open runs of a job's schedule.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_schedule(
    tx: &impl ConnectionTrait,
    job: JobId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::Trigger.eq(Trigger::Schedule))
        .filter(run::Column::CancelRequestedAt.is_null())
        .filter(open())
        .exec(tx)
        .await?;
    Ok(())
}

/// Queued runs that are to be cancelled.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_to_cancel(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::CancelRequestedAt.is_not_null())
        .limit(limit)
        .all(db)
        .await
}

/// How many runs are queued or running.
///
/// # Errors
/// When the query fails.
pub async fn count_open(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    run::Entity::find().filter(open()).count(db).await
}

/// Asks for the runs of a deployment to end; returns how many were asked.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_deployment(
    tx: &impl ConnectionTrait,
    id: DeploymentId,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let changed = run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::DeploymentId.eq(id))
        .filter(run::Column::State.is_in([RunState::Queued, RunState::Running]))
        .filter(run::Column::CancelRequestedAt.is_null())
        .exec(tx)
        .await?;
    Ok(changed.rows_affected)
}

/// The newest runs of a job that failed after `since`.
///
/// # Errors
/// When the query fails.
pub async fn list_failed(
    db: &impl ConnectionTrait,
    job: JobId,
    since: Option<DateTime<Utc>>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    let mut select =
        run::Entity::find().filter(run::Column::JobId.eq(job)).filter(run::Column::State.eq(RunState::Failed));
    if let Some(since) = since {
        select = select.filter(run::Column::FinishedAt.gt(since));
    }
    select.order_by_desc(run::Column::Number).limit(limit).all(db).await
}
