//! Runs that have not ended.

use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId, RunId};
use entity::job_spec::JobType;
use entity::run::RunState;
use entity::{job, run};
use sea_orm::sea_query::{Expr, LockType, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::in_turn::counted;

/// The condition of the partial indexes, in exactly the same words, so that the databases use them to find the few open
/// runs.
pub(in crate::store) fn open() -> SimpleExpr {
    Expr::cust("run.state IN ('QUEUED', 'RUNNING')")
}

/// Locks the open runs that match a filter, in the order of their numbers. Whoever changes several runs locks them in this order, so
/// that two transactions never wait for each other.
pub(in crate::store) async fn lock_in_order(tx: &impl ConnectionTrait, filter: Condition) -> Result<Vec<RunId>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(filter)
        .order_by_asc(run::Column::Number)
        .lock(LockType::Update)
        .into_tuple()
        .all(tx)
        .await
}

/// Whether there are queued or running runs.
///
/// # Errors
/// When the query fails.
pub async fn has_open(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let one: Option<RunId> =
        run::Entity::find().select_only().column(run::Column::Id).filter(open()).into_tuple().one(db).await?;
    Ok(one.is_some())
}

/// Counts the queued and the running runs.
///
/// # Errors
/// When the query fails.
pub async fn count_by_state(db: &impl ConnectionTrait) -> Result<(u64, u64), DbErr> {
    let of = |state: RunState| run::Entity::find().filter(open()).filter(run::Column::State.eq(state));
    Ok((of(RunState::Queued).count(db).await?, of(RunState::Running).count(db).await?))
}

/// Counts the open runs of these jobs that count for their schedules; jobs without open runs are not in the map.
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
        .filter(counted())
        .filter(open())
        .group_by(run::Column::JobId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(job, runs)| (job, usize::try_from(runs).unwrap_or(0))).collect())
}

/// Counts the open runs of a job.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_job(db: &impl ConnectionTrait, job: JobId) -> Result<u64, DbErr> {
    run::Entity::find().filter(run::Column::JobId.eq(job)).filter(open()).count(db).await
}

/// The condition that a run belongs to a job of an environment. The runs of checks are elsewhere: nothing waits for them, and nothing
/// ends them when their environment is deleted.
pub(in crate::store) fn of_environment(id: EnvironmentId) -> SimpleExpr {
    let mut jobs = Query::select();
    jobs.column(job::Column::Id).from(job::Entity).and_where(job::Column::EnvironmentId.eq(id));
    jobs.and_where(job::Column::JobType.ne(JobType::Check));
    run::Column::JobId.in_subquery(jobs)
}

/// Counts the open runs of an environment.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<u64, DbErr> {
    run::Entity::find().filter(of_environment(id)).filter(open()).count(db).await
}

/// An open run at a place.
///
/// # Errors
/// When the query fails.
pub async fn open_at(db: &impl ConnectionTrait, place: &str) -> Result<Option<run::Model>, DbErr> {
    run::Entity::find().filter(open()).filter(run::Column::Place.eq(place)).one(db).await
}

/// A queued run that waits for these slots.
///
/// # Errors
/// When the query fails.
pub async fn waiting_for(db: &impl ConnectionTrait, slots: Uuid) -> Result<Option<run::Model>, DbErr> {
    let queued = run::Column::State.eq(RunState::Queued);
    run::Entity::find().filter(queued).filter(run::Column::Slots.eq(slots)).one(db).await
}

/// Queued runs whose cancellation is requested, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn list_queued_to_cancel(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    limit: u64,
) -> Result<Vec<RunId>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(open())
        .filter(run::Column::State.eq(RunState::Queued))
        .filter(run::Column::CancelRequestedAt.is_not_null())
        .filter(run::Column::Id.is_not_in(paused))
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
