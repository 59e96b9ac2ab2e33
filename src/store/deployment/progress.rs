//! New deployments, and their progress.

use chrono::{DateTime, Utc};
use entity::deployment::Progress;
use entity::id::DeploymentId;
use entity::{deployment, deployment_job};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::part_progress::add_parts;

/// Stores a new deployment with the next number of its environment, which the caller has locked.
///
/// # Errors
/// When a statement fails.
pub async fn create(
    tx: &impl ConnectionTrait,
    row: deployment::Model,
    parts: Vec<deployment_job::Model>,
) -> Result<deployment::Model, DbErr> {
    let newest: Option<i32> = deployment::Entity::find()
        .select_only()
        .column(deployment::Column::Number)
        .filter(deployment::Column::EnvironmentId.eq(row.environment_id))
        .order_by_desc(deployment::Column::Number)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    let row = deployment::Model { number: newest.unwrap_or(0) + 1, ..row };
    let row = deployment::ActiveModel::from(row).reset_all().insert(tx).await?;
    add_parts(tx, parts).await?;
    Ok(row)
}

/// Changes the progress of a deployment. Returns false if it was not `from`.
///
/// # Errors
/// When the statement fails.
pub async fn advance(
    db: &impl ConnectionTrait,
    id: DeploymentId,
    from: Progress,
    to: Progress,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut update = deployment::Entity::update_many()
        .col_expr(deployment::Column::Progress, Expr::value(to))
        .col_expr(deployment::Column::UpdatedAt, Expr::value(now));
    if from == Progress::Queued && to == Progress::Running {
        update = update.col_expr(deployment::Column::StartedAt, Expr::value(now));
    }
    if to.is_final() {
        update = update.col_expr(deployment::Column::FinishedAt, Expr::value(now));
    }
    let changed =
        update.filter(deployment::Column::Id.eq(id)).filter(deployment::Column::Progress.eq(from)).exec(db).await?;
    Ok(changed.rows_affected == 1)
}

/// Requests the cancellation of a running deployment. Returns false if it is not running or was cancelled before.
///
/// # Errors
/// When the statement fails.
pub async fn request_cancel(db: &impl ConnectionTrait, id: DeploymentId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let changed = deployment::Entity::update_many()
        .col_expr(deployment::Column::CancelRequestedAt, Expr::value(now))
        .col_expr(deployment::Column::UpdatedAt, Expr::value(now))
        .filter(deployment::Column::Id.eq(id))
        .filter(deployment::Column::Progress.eq(Progress::Running))
        .filter(deployment::Column::CancelRequestedAt.is_null())
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Ends an open deployment and its open parts, whatever else their rows contain. Returns false if it has ended.
///
/// # Errors
/// When a statement fails.
pub async fn give_up(
    db: &impl ConnectionTrait,
    id: DeploymentId,
    to: Progress,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let changed = deployment::Entity::update_many()
        .col_expr(deployment::Column::Progress, Expr::value(to))
        .col_expr(deployment::Column::Reason, Expr::value(reason))
        .col_expr(deployment::Column::UpdatedAt, Expr::value(now))
        .col_expr(deployment::Column::FinishedAt, Expr::value(now))
        .filter(deployment::Column::Id.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .exec(db)
        .await?;
    for (from, to) in [(Progress::Queued, Progress::Cancelled), (Progress::Running, to)] {
        deployment_job::Entity::update_many()
            .col_expr(deployment_job::Column::Progress, Expr::value(to))
            .col_expr(deployment_job::Column::FinishedAt, Expr::value(now))
            .filter(deployment_job::Column::DeploymentId.eq(id))
            .filter(deployment_job::Column::Progress.eq(from))
            .exec(db)
            .await?;
    }
    Ok(changed.rows_affected == 1)
}
