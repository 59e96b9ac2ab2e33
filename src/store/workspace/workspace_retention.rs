//! Expiry of old workspace jobs, plans and states.

use chrono::{DateTime, Utc};
use entity::id::{StateVersionId, WorkspaceStepId};
use entity::{state_version, workspace_job, workspace_step};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::step_run::{StepsOf, expire_runs};

/// The condition of the partial index, in exactly the same words.
const ENDED: &str = "workspace_job.status NOT IN ('pending', 'queue', 'running', 'waitingApproval', 'approved')";

/// A step that was rejected may still run for a while after its job has ended.
const IDLE: &str = "NOT EXISTS (SELECT 1 FROM workspace_step s JOIN run r ON r.id = s.run_id \
     WHERE s.job_id = workspace_job.id AND r.state IN ('QUEUED', 'RUNNING'))";

/// Jobs that ended before `before`, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn list_expired_jobs(
    db: &impl ConnectionTrait,
    paused: Vec<i32>,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<i32>, DbErr> {
    workspace_job::Entity::find()
        .select_only()
        .column(workspace_job::Column::Id)
        .filter(workspace_job::Column::UpdatedAt.lt(before))
        .filter(workspace_job::Column::Id.is_not_in(paused))
        .filter(Expr::cust(ENDED))
        .filter(Expr::cust(IDLE))
        .order_by_asc(workspace_job::Column::UpdatedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Deletes a job with its steps. Their runs expire, with their logs.
///
/// # Errors
/// When a statement fails.
pub async fn delete_job(tx: &impl ConnectionTrait, id: i32, now: DateTime<Utc>) -> Result<(), DbErr> {
    expire_runs(tx, StepsOf::Job(id), now).await?;
    workspace_job::Entity::delete_by_id(id).exec(tx).await.map(|_| ())
}

/// Deletes plans of jobs that have ended, with their inputs. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_plans(tx: &impl ConnectionTrait, limit: u64) -> Result<u64, DbErr> {
    // Not a join, which could begin with all jobs that have ever ended.
    const OF_ENDED: &str = "(SELECT j.status FROM workspace_job j WHERE j.id = workspace_step.job_id) \
         NOT IN ('pending', 'queue', 'running', 'waitingApproval', 'approved')";
    let ids: Vec<WorkspaceStepId> = workspace_step::Entity::find()
        .select_only()
        .column(workspace_step::Column::Id)
        .filter(workspace_step::Column::Plan.is_not_null())
        .filter(Expr::cust(OF_ENDED))
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let gone = ActiveValue::Set(None);
    let row = workspace_step::ActiveModel { plan: gone.clone(), inputs: gone, ..Default::default() };
    let changed =
        workspace_step::Entity::update_many().set(row).filter(workspace_step::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(changed.rows_affected)
}

/// Deletes state versions that were created before `before`, except for the newest of each workspace. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some_states(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    const REPLACED: &str = "EXISTS (SELECT 1 FROM state_version n WHERE n.workspace_id = state_version.workspace_id \
         AND n.id > state_version.id)";
    let ids: Vec<StateVersionId> = state_version::Entity::find()
        .select_only()
        .column(state_version::Column::Id)
        .filter(state_version::Column::CreatedAt.lt(before))
        .filter(Expr::cust(REPLACED))
        .order_by_asc(state_version::Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let gone = state_version::Entity::delete_many().filter(state_version::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(gone.rows_affected)
}
