//! The steps of workspace jobs.

use chrono::{DateTime, Utc};
use entity::id::{RunId, WorkspaceStepId};
use entity::workspace_job::JobStatus;
use entity::workspace_step;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Iterable as _, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::store::page::PAGE;

/// The steps of a job, in order.
///
/// # Errors
/// When the query fails.
pub async fn steps(db: &impl ConnectionTrait, job: i32) -> Result<Vec<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find()
        .filter(workspace_step::Column::JobId.eq(job))
        .order_by_asc(workspace_step::Column::Position)
        .limit(PAGE)
        .all(db)
        .await
}

/// The steps of a job, in order, for pages: without their plans and the variables of those, which are large.
///
/// # Errors
/// When the query fails.
pub async fn steps_without_plans(db: &impl ConnectionTrait, job: i32) -> Result<Vec<workspace_step::Model>, DbErr> {
    use workspace_step::Column;
    let small = Column::iter().filter(|column| !matches!(column, Column::Plan | Column::Inputs));
    let nothing = || Expr::cust("NULL");
    workspace_step::Entity::find()
        .select_only()
        .columns(small)
        .expr_as(nothing(), "plan")
        .expr_as(nothing(), "inputs")
        .filter(Column::JobId.eq(job))
        .order_by_asc(Column::Position)
        .limit(PAGE)
        .all(db)
        .await
}

/// The step that a run executes.
///
/// # Errors
/// When the query fails.
pub async fn step_by_run(db: &impl ConnectionTrait, run: RunId) -> Result<Option<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find().filter(workspace_step::Column::RunId.eq(run)).one(db).await
}

/// The step with this credential, by its hash.
///
/// # Errors
/// When the query fails.
pub async fn step_by_token(db: &impl ConnectionTrait, hash: &str) -> Result<Option<workspace_step::Model>, DbErr> {
    workspace_step::Entity::find().filter(workspace_step::Column::Token.eq(hash)).one(db).await
}

/// Changes the status of all steps of a job that have a given status.
///
/// # Errors
/// When the statement fails.
pub async fn turn_steps(
    tx: &impl ConnectionTrait,
    job: i32,
    (from, to): (JobStatus, JobStatus),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = workspace_step::ActiveModel {
        status: ActiveValue::Set(to),
        updated_at: ActiveValue::Set(now),
        ..Default::default()
    };
    let these =
        Condition::all().add(workspace_step::Column::JobId.eq(job)).add(workspace_step::Column::Status.eq(from));
    workspace_step::Entity::update_many().set(row).filter(these).exec(tx).await?;
    Ok(())
}

/// Changes one step.
///
/// # Errors
/// When the statement fails.
pub async fn change_step(
    tx: &impl ConnectionTrait,
    id: WorkspaceStepId,
    row: workspace_step::ActiveModel,
) -> Result<(), DbErr> {
    workspace_step::Entity::update_many().set(row).filter(workspace_step::Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}

/// Sets the status of one step.
///
/// # Errors
/// When the statement fails.
pub async fn set_step(
    tx: &impl ConnectionTrait,
    id: WorkspaceStepId,
    status: JobStatus,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (status, updated_at) = (ActiveValue::Set(status), ActiveValue::Set(now));
    change_step(tx, id, workspace_step::ActiveModel { status, updated_at, ..Default::default() }).await
}
