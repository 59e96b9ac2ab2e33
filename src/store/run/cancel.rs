//! Cancellation requests for runs; the engine cancels them.

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, EnvironmentId, JobId, RunId};
use entity::run;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::in_turn::counted;
use super::open::{lock_in_order, of_environment};

/// Requests the cancellation of an open run. Returns false if the run has ended or was cancelled before.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel(tx: &impl ConnectionTrait, id: RunId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    Ok(request(tx, Condition::all().add(run::Column::Id.eq(id)), now).await? == 1)
}

/// Requests the cancellation of these runs, as far as they are open.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of(tx: &impl ConnectionTrait, ids: Vec<RunId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    request(tx, Condition::all().add(run::Column::Id.is_in(ids)), now).await.map(|_| ())
}

/// Requests the cancellation of the open runs of a job, except for those of a deployment.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_job(
    tx: &impl ConnectionTrait,
    job: JobId,
    but: DeploymentId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let others = Condition::any().add(run::Column::DeploymentId.is_null()).add(run::Column::DeploymentId.ne(but));
    request(tx, Condition::all().add(run::Column::JobId.eq(job)).add(others), now).await.map(|_| ())
}

/// Requests the cancellation of all open runs of some jobs.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_jobs(
    tx: &impl ConnectionTrait,
    jobs: Vec<JobId>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    request(tx, Condition::all().add(run::Column::JobId.is_in(jobs)), now).await.map(|_| ())
}

/// Requests the cancellation of all open runs of an environment.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_environment(
    tx: &impl ConnectionTrait,
    id: EnvironmentId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    request(tx, Condition::all().add(of_environment(id)), now).await.map(|_| ())
}

/// Requests the cancellation of the open runs of schedules, which newer ones replace.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_schedules(
    tx: &impl ConnectionTrait,
    jobs: Vec<JobId>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if jobs.is_empty() {
        return Ok(());
    }
    let which =
        Condition::all().add(run::Column::JobId.is_in(jobs)).add(counted()).add(run::Column::BackfillId.is_null());
    request(tx, which, now).await.map(|_| ())
}

/// Requests the cancellation of the open runs of a backfill. Returns their number.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_backfill(
    tx: &impl ConnectionTrait,
    job: JobId,
    backfill: Uuid,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let which = Condition::all().add(run::Column::JobId.eq(job)).add(run::Column::BackfillId.eq(backfill));
    request(tx, which, now).await
}

/// Requests the cancellation of the open runs of a deployment. Returns their number.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel_of_deployment(
    tx: &impl ConnectionTrait,
    id: DeploymentId,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    request(tx, Condition::all().add(run::Column::DeploymentId.eq(id)), now).await
}

/// Requests the cancellation of the open runs that match a filter and were not cancelled before. Returns their number.
async fn request(tx: &impl ConnectionTrait, filter: Condition, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let ids = lock_in_order(tx, filter.add(run::Column::CancelRequestedAt.is_null())).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let changed = run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected)
}
