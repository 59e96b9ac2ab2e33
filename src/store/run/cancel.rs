//! Cancellation requests for runs; the engine cancels them.

use chrono::{DateTime, Utc};
use entity::id::{DeploymentId, JobId, RunId};
use entity::run;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::open::open;
use super::turn::counted;

/// Requests the cancellation of an open run. Returns false if the run has ended or was cancelled before.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel(tx: &impl ConnectionTrait, id: RunId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let changed = run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::CancelRequestedAt.is_null())
        .filter(open())
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
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
    run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::JobId.eq(job))
        .filter(others)
        .filter(run::Column::CancelRequestedAt.is_null())
        .filter(open())
        .exec(tx)
        .await?;
    Ok(())
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
    run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::JobId.is_in(jobs))
        .filter(counted())
        .filter(run::Column::BackfillId.is_null())
        .filter(run::Column::CancelRequestedAt.is_null())
        .filter(open())
        .exec(tx)
        .await?;
    Ok(())
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
    let changed = run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::BackfillId.eq(backfill))
        .filter(open())
        .filter(run::Column::CancelRequestedAt.is_null())
        .exec(tx)
        .await?;
    Ok(changed.rows_affected)
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
    let changed = run::Entity::update_many()
        .col_expr(run::Column::CancelRequestedAt, Expr::value(now))
        .filter(run::Column::DeploymentId.eq(id))
        .filter(open())
        .filter(run::Column::CancelRequestedAt.is_null())
        .exec(tx)
        .await?;
    Ok(changed.rows_affected)
}
