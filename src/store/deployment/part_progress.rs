//! New parts of deployments, and their progress.

use chrono::{DateTime, Utc};
use entity::deployment::Progress;
use entity::deployment_job;
use entity::id::RunId;
use entity::job_spec::JobSpec;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};

/// Adds parts to a deployment that has not started.
///
/// # Errors
/// When a statement fails.
pub async fn add_parts(db: &impl ConnectionTrait, parts: Vec<deployment_job::Model>) -> Result<(), DbErr> {
    for chunk in parts.chunks(500) {
        let rows = chunk.iter().map(|part| part.clone().into_active_model().reset_all());
        deployment_job::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Changes the progress of a part. Returns false if another transaction changed it first.
///
/// # Errors
/// When the statement fails.
pub async fn advance_part(
    db: &impl ConnectionTrait,
    part: &deployment_job::Model,
    to: Progress,
    run: Option<RunId>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut update = deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::Progress, Expr::value(to))
        .col_expr(deployment_job::Column::RunId, Expr::value(run));
    if part.progress == Progress::Queued && to != Progress::Cancelled {
        update = update.col_expr(deployment_job::Column::StartedAt, Expr::value(now));
    }
    if to.is_final() {
        update = update.col_expr(deployment_job::Column::FinishedAt, Expr::value(now));
    }
    let changed = update
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .filter(deployment_job::Column::Progress.eq(part.progress))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Sets the run that builds the image of a part.
///
/// # Errors
/// When the statement fails.
pub async fn set_build(db: &impl ConnectionTrait, part: &deployment_job::Model, run: RunId) -> Result<(), DbErr> {
    deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::BuildRunId, Expr::value(run))
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Sets the requested commit of a part.
///
/// # Errors
/// When the statement fails.
pub async fn set_commit(
    db: &impl ConnectionTrait,
    part: &deployment_job::Model,
    commit: Option<String>,
) -> Result<(), DbErr> {
    deployment_job::Entity::update_many()
        .col_expr(deployment_job::Column::CommitId, Expr::value(commit))
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Sets the configuration that a part deploys, when it starts.
///
/// # Errors
/// When the statement fails.
pub async fn set_spec(db: &impl ConnectionTrait, part: &deployment_job::Model, spec: &JobSpec) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    let row = deployment_job::ActiveModel { spec: Set(Some(spec.clone())), ..Default::default() };
    deployment_job::Entity::update_many()
        .set(row)
        .filter(deployment_job::Column::DeploymentId.eq(part.deployment_id))
        .filter(deployment_job::Column::JobId.eq(part.job_id))
        .exec(db)
        .await?;
    Ok(())
}
