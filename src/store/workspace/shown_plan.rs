//! Plans as they are shown.

use chrono::{DateTime, Utc};
use entity::id::WorkspaceId;
use entity::{shown_plan, state_version};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;
use crate::store::row;

/// Stores the plan of a step, instead of the one that it had.
///
/// # Errors
/// When a statement fails.
pub async fn keep_shown_plan(tx: &impl ConnectionTrait, plan: shown_plan::Model) -> Result<(), DbErr> {
    row::delete::<shown_plan::Model>(tx, plan.step_id).await?;
    row::create(tx, plan).await.map(|_| ())
}

/// The plans of a job.
///
/// # Errors
/// When the query fails.
pub async fn shown_plans(db: &impl ConnectionTrait, job: i32) -> Result<Vec<shown_plan::Model>, DbErr> {
    shown_plan::Entity::find().filter(shown_plan::Column::JobId.eq(job)).limit(PAGE).all(db).await
}

/// The newest plan of a workspace that looked at all resources, if it found drift, and no state was stored since: an apply settles it.
///
/// # Errors
/// When a query fails.
pub async fn open_drift(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<shown_plan::Model>, DbErr> {
    const WHOLE: &str = "EXISTS (SELECT 1 FROM workspace_job j WHERE j.id = shown_plan.job_id AND j.refresh) AND NOT EXISTS \
         (SELECT 1 FROM workspace_address a WHERE a.job_id = shown_plan.job_id AND a.kind = 'TARGET')";
    let newest = shown_plan::Entity::find()
        .filter(shown_plan::Column::WorkspaceId.eq(id))
        .filter(shown_plan::Column::Sealed.is_not_null())
        .filter(Expr::cust(WHOLE))
        .order_by_desc(shown_plan::Column::CreatedAt)
        .order_by_desc(shown_plan::Column::JobId)
        .one(db)
        .await?;
    let Some(plan) = newest.filter(|plan| plan.drift > 0) else { return Ok(None) };
    let newest_state: Option<DateTime<Utc>> = state_version::Entity::find()
        .select_only()
        .column(state_version::Column::CreatedAt)
        .filter(state_version::Column::WorkspaceId.eq(id))
        .order_by_desc(state_version::Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    Ok(Some(plan).filter(|plan| newest_state.is_none_or(|at| at <= plan.created_at)))
}
