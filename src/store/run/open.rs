//! Runs that have not ended.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run;
use entity::run::RunState;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::turn::counted;

/// The condition of the partial indexes, in exactly the same words, so that the databases use them to find the few open
/// runs.
pub(in crate::store) fn open() -> sea_orm::sea_query::SimpleExpr {
    Expr::cust("run.state IN ('QUEUED', 'RUNNING')")
}

/// Counts the queued and running runs.
///
/// # Errors
/// When the query fails.
pub async fn count_open(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    run::Entity::find().filter(open()).count(db).await
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

/// Counts the running runs that a server owns.
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

/// Runs that have been waiting for a free slot since before `before`. The runs of a backfill wait as long as it takes.
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
        .filter(run::Column::BackfillId.is_null())
        .order_by_asc(run::Column::NotBefore)
        .limit(limit)
        .all(db)
        .await
}
