//! Runs. Their state changes only through `claim` and `advance`, which name the state they expect.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run;
use entity::run::{RunState, RunnerKind, Trigger};
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// How many rows one statement inserts: below the limits on bound values of both databases.
const ROWS: usize = 500;

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
    let mut rows = rows
        .into_iter()
        .zip(first..)
        .map(|(row, number)| run::Model { number, ..row }.into_active_model().reset_all())
        .peekable();
    let conflict = OnConflict::columns([run::Column::JobId, run::Column::ScheduledFor]).do_nothing().to_owned();
    let mut stored = 0;
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        let insert = run::Entity::insert_many(chunk).on_conflict(conflict.clone());
        stored += insert.exec_without_returning(tx).await?;
    }
    Ok(stored)
}

/// The run that a caller's key names.
///
/// # Errors
/// When the query fails.
pub async fn by_idempotency_key(db: &impl ConnectionTrait, job: JobId, key: &str) -> Result<Option<run::Model>, DbErr> {
    let wanted = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::IdempotencyKey.eq(key));
    run::Entity::find().filter(wanted).one(db).await
}

/// The runs of a job's schedule for the times of a span, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_scheduled_between(
    db: &impl ConnectionTrait,
    job: JobId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::ScheduledFor.gte(from))
        .filter(run::Column::ScheduledFor.lt(until))
        .order_by_asc(run::Column::ScheduledFor)
        .limit(limit)
        .all(db)
        .await
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

/// The newest runs of jobs, the newest first.
///
/// # Errors
/// When a query fails.
pub async fn list_newest_of_jobs(
    db: &impl ConnectionTrait,
    jobs: Vec<JobId>,
    each: usize,
) -> Result<Vec<run::Model>, DbErr> {
    let mut found = Vec::new();
    for job in jobs {
        found.extend(list_by_job(db, job, None, each as u64).await?);
    }
    Ok(found)
}

/// Written out, so that the databases see that it is the condition of indexes; with it they find the few runs that are
/// open among all that are kept.
pub(super) fn open() -> sea_orm::sea_query::SimpleExpr {
    Expr::cust("run.state IN ('QUEUED', 'RUNNING')")
}

/// How many runs of their schedules that have not ended jobs have; those without are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_open_of_schedules(
    db: &impl ConnectionTrait,
    jobs: Vec<JobId>,
) -> Result<HashMap<JobId, usize>, DbErr> {
    let rows: Vec<(JobId, i64)> = run::Entity::find()
        .select_only()
        .column(run::Column::JobId)
        .column_as(run::Column::Id.count(), "runs")
        .filter(run::Column::JobId.is_in(jobs))
        .filter(run::Column::Trigger.eq(Trigger::Schedule))
        .filter(open())
        .group_by(run::Column::JobId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(job, runs)| (job, usize::try_from(runs).unwrap_or(0))).collect())
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
        .filter(open())
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .count(db)
        .await
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

/// Where a run is handed to.
#[derive(Clone, Debug)]
pub struct Handover {
    pub runner: RunnerKind,
    pub place: String,
    /// What is masked in its log, sealed.
    pub masks: Option<Vec<u8>>,
    /// Its name there, where that does not follow from its id.
    pub step: Option<String>,
}

/// Notes where a run is about to be started; false when it is no longer the owner's, who then must not start it.
///
/// # Errors
/// When the statement fails.
pub async fn hand_over(db: &impl ConnectionTrait, id: RunId, owner: Option<Uuid>, to: Handover) -> Result<bool, DbErr> {
    use sea_orm::ActiveValue::Set;
    let Handover { runner, place, masks, step } = to;
    let row = run::ActiveModel {
        runner: Set(Some(runner)),
        place: Set(Some(place)),
        masks: Set(masks),
        step: Set(step),
        // What a lost build has said is stored; the one that begins again begins its log again.
        attempt_lines: Set(0),
        ..Default::default()
    };
    let changed = run::Entity::update_many()
        .set(row)
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Notes that a run's runner was asked to stop it.
///
/// # Errors
/// When the statement fails.
pub async fn note_stop(
    db: &impl ConnectionTrait,
    id: RunId,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::StopAskedAt, Expr::value(now))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Running))
        .filter(run::Column::LeaseOwner.eq(owner))
        .exec(db)
        .await
        .map(|_| ())
}

/// Queued runs that are to be cancelled.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_to_cancel(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(open())
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::CancelRequestedAt.is_not_null())
        .limit(limit)
        .all(db)
        .await
}

/// Runs that have waited for a place since `before`.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_since(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(open())
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::NotBefore.lt(before))
        .order_by_asc(run::Column::NotBefore)
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

/// How many runs are queued, and how many are running.
///
/// # Errors
/// When the query fails.
pub async fn count_by_state(db: &impl ConnectionTrait) -> Result<(u64, u64), DbErr> {
    let of = |state: RunState| run::Entity::find().filter(open()).filter(run::Column::State.eq(state));
    Ok((of(RunState::Queued).count(db).await?, of(RunState::Running).count(db).await?))
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
