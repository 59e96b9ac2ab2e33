//! Open runs that may be late, or take too long.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, OrganizationId, RunId};
use entity::run::RunState;
use entity::{job, run};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};

use crate::store::run::open;

/// An open run of a job.
#[derive(Clone, Copy, Debug)]
pub struct WatchedRun {
    pub id: RunId,
    pub organization: OrganizationId,
    pub environment: EnvironmentId,
    pub job: JobId,
    /// Since when it is late: its scheduled time, or when it started.
    pub since: DateTime<Utc>,
}

type Row = (RunId, OrganizationId, EnvironmentId, JobId, Option<DateTime<Utc>>);

async fn list(
    db: &impl ConnectionTrait,
    (state, since): (RunState, run::Column),
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WatchedRun>, DbErr> {
    let jobs = run::Entity::belongs_to(job::Entity).from(run::Column::JobId).to(job::Column::Id).into();
    let rows: Vec<Row> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .column(job::Column::OrganizationId)
        .column(job::Column::EnvironmentId)
        .column(run::Column::JobId)
        .column(since)
        .join(JoinType::InnerJoin, jobs)
        .filter(open())
        .filter(run::Column::State.eq(state))
        .filter(since.lte(before))
        .order_by_asc(since)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let watched = |(id, organization, environment, job, since): Row| {
        since.map(|since| WatchedRun { id, organization, environment, job, since })
    };
    Ok(rows.into_iter().filter_map(watched).collect())
}

/// Scheduled runs that have not started, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_late_runs(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WatchedRun>, DbErr> {
    list(db, (RunState::Queued, run::Column::ScheduledFor), before, limit).await
}

/// Running runs of jobs that started before a time or at it, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_long_runs(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WatchedRun>, DbErr> {
    list(db, (RunState::Running, run::Column::StartedAt), before, limit).await
}
