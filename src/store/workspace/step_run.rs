//! Runs of workspace steps.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, RunId, WorkspaceId};
use entity::workspace_job::JobStatus;
use entity::{run, workspace_job, workspace_step};
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::state_version::unlock_state;
use super::workspace_job::{lock_job, update_job};
use super::workspace_step::{change_step, step_by_run, steps, turn_steps};
use crate::store::page::PAGE;
use crate::store::run::cancel::request_cancel_of;
use crate::store::run::open;

/// Which steps.
#[derive(Clone, Copy, Debug)]
pub enum StepsOf {
    Job(i32),
    Workspace(WorkspaceId),
    Organization(OrganizationId),
}

/// Locks the workspace job of a run, before the run itself is changed.
///
/// # Errors
/// When a query fails.
pub async fn lock_job_of_run(tx: &impl ConnectionTrait, run: RunId) -> Result<(), DbErr> {
    if let Some(step) = step_by_run(tx, run).await? {
        lock_job(tx, step.job_id).await?;
    }
    Ok(())
}

/// Records that the step of a run has started.
///
/// # Errors
/// When a statement fails.
pub async fn mark_running(tx: &impl ConnectionTrait, run: RunId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some(step) = step_by_run(tx, run).await?.filter(|step| step.status == JobStatus::Queue) else { return Ok(()) };
    let Some(job) = lock_job(tx, step.job_id).await?.filter(|job| !job.status.is_final()) else { return Ok(()) };
    turn_steps(tx, job.id, (JobStatus::Queue, JobStatus::Running), now).await?;
    update_job(tx, workspace_job::Model { status: JobStatus::Running, updated_at: now, ..job }).await?;
    Ok(())
}

/// Requests the cancellation of the open runs of a job.
///
/// # Errors
/// When the statement fails.
pub async fn cancel_runs(tx: &impl ConnectionTrait, job: i32, now: DateTime<Utc>) -> Result<(), DbErr> {
    let ids: Vec<RunId> = steps(tx, job).await?.into_iter().filter_map(|step| step.run_id).collect();
    request_cancel_of(tx, ids, now).await
}

/// An open run of a step of some workspace jobs.
///
/// # Errors
/// When the query fails.
pub async fn open_run(db: &impl ConnectionTrait, of: StepsOf) -> Result<Option<run::Model>, DbErr> {
    run::Entity::find().filter(open()).filter(run::Column::Id.in_subquery(runs(of))).one(db).await
}

/// Expires the ended runs of some workspace jobs, with their logs.
///
/// # Errors
/// When the statement fails.
pub async fn expire_runs(tx: &impl ConnectionTrait, of: StepsOf, now: DateTime<Utc>) -> Result<(), DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::ExpiresAt, Expr::value(now))
        .filter(run::Column::Id.in_subquery(runs(of)))
        .filter(run::Column::FinishedAt.is_not_null())
        .exec(tx)
        .await
        .map(|_| ())
}

/// The ids of the runs of some steps.
fn runs(of: StepsOf) -> SelectStatement {
    let mut runs = Query::select();
    runs.column(workspace_step::Column::RunId)
        .from(workspace_step::Entity)
        .and_where(workspace_step::Column::RunId.is_not_null())
        .and_where(match of {
            StepsOf::Job(id) => workspace_step::Column::JobId.eq(id),
            StepsOf::Workspace(id) => workspace_step::Column::WorkspaceId.eq(id),
            StepsOf::Organization(id) => workspace_step::Column::OrganizationId.eq(id),
        });
    runs
}

/// Ends the step of a run that was given up, and records the reason with its job, which can then continue.
///
/// # Errors
/// When a statement fails.
pub async fn give_up_step(
    tx: &impl ConnectionTrait,
    run: RunId,
    (status, reason): (JobStatus, &str),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(step) = step_by_run(tx, run).await? else { return Ok(()) };
    // A rejected step stays rejected.
    let status = if step.status == JobStatus::Rejected { JobStatus::Rejected } else { status };
    let change = workspace_step::ActiveModel {
        status: ActiveValue::Set(status),
        updated_at: ActiveValue::Set(now),
        token: ActiveValue::Set(None),
        ..Default::default()
    };
    change_step(tx, step.id, change).await?;
    unlock_state(tx, step.workspace_id, Some(step.id)).await?;
    let Some(job) = lock_job(tx, step.job_id).await? else { return Ok(()) };
    let open = if job.status.is_final() { job.status } else { JobStatus::Pending };
    let output = Some(format!("{}: {reason}", step.name));
    update_job(tx, workspace_job::Model { status: open, output, updated_at: now, ..job }).await?;
    Ok(())
}

/// How many lines the steps of a job have written.
///
/// # Errors
/// When a query fails.
pub(super) async fn count_lines(db: &impl ConnectionTrait, job: i32) -> Result<i64, DbErr> {
    let runs: Vec<Option<RunId>> = workspace_step::Entity::find()
        .select_only()
        .column(workspace_step::Column::RunId)
        .filter(workspace_step::Column::JobId.eq(job))
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await?;
    let runs: Vec<RunId> = runs.into_iter().flatten().collect();
    if runs.is_empty() {
        return Ok(0);
    }
    let lines: Vec<i64> = run::Entity::find()
        .select_only()
        .column(run::Column::TotalLines)
        .filter(run::Column::Id.is_in(runs))
        .into_tuple()
        .all(db)
        .await?;
    Ok(lines.into_iter().sum())
}
