//! Runs that have not ended.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run;
use entity::run::{RunState, Trigger};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The condition of the partial indexes, written exactly as there. With it the databases find the few open runs among
/// all that are kept.
pub(in crate::store) fn open() -> sea_orm::sea_query::SimpleExpr {
    Expr::cust("run.state IN ('QUEUED', 'RUNNING')")
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

/// How many open runs the schedules of these jobs have; jobs without any are not in the map.
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

/// How many open runs a job has.
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

/// Queued runs whose cancellation is requested.
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

/// Runs that have been waiting for a free slot since before `before`.
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
