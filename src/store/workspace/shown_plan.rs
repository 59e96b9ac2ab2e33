//! Plans as they are shown.

use chrono::{DateTime, Utc};
use entity::id::WorkspaceId;
use entity::{shown_plan, state_version};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

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

/// Drift that nothing has settled.
#[derive(Clone, Debug)]
pub struct OpenDrift {
    /// The newest plan, which found it.
    pub plan: shown_plan::Model,
    /// When the first of the plans in a row was made that found some.
    pub since: DateTime<Utc>,
}

/// A plan looked at all resources.
const WHOLE: &str = "EXISTS (SELECT 1 FROM workspace_job j WHERE j.id = shown_plan.job_id AND j.refresh) AND NOT EXISTS \
     (SELECT 1 FROM workspace_address a WHERE a.job_id = shown_plan.job_id AND a.kind = 'TARGET')";

fn whole_plans(id: WorkspaceId) -> Select<shown_plan::Entity> {
    shown_plan::Entity::find()
        .filter(shown_plan::Column::WorkspaceId.eq(id))
        .filter(shown_plan::Column::Sealed.is_not_null())
        .filter(Expr::cust(WHOLE))
}

/// The drift that the newest plan of a workspace found that looked at all resources, if neither an apply nor a new state has settled it
/// since.
///
/// # Errors
/// When a query fails.
pub async fn open_drift(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<OpenDrift>, DbErr> {
    use shown_plan::Column;
    let newest = whole_plans(id).order_by_desc(Column::CreatedAt).order_by_desc(Column::JobId).one(db).await?;
    let Some(plan) = newest.filter(|plan| plan.drift > 0) else { return Ok(None) };
    let newest_state: Option<DateTime<Utc>> = state_version::Entity::find()
        .select_only()
        .column(state_version::Column::CreatedAt)
        .filter(state_version::Column::WorkspaceId.eq(id))
        .order_by_desc(state_version::Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    if newest_state.is_some_and(|at| at > plan.created_at) {
        return Ok(None);
    }
    let since = drift_since(db, id, newest_state).await?;
    Ok(Some(OpenDrift { since: since.unwrap_or(plan.created_at), plan }))
}

/// A literal, because SQLite plans without bound values, and uses the index of plans with drift only for one.
fn has_drift() -> Expr {
    Expr::cust("shown_plan.drift > 0")
}

/// Settles the drift of a workspace, however recently it was found. Its plans are shown as before.
///
/// # Errors
/// When the statement fails.
pub async fn settle_drift(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<(), DbErr> {
    use shown_plan::Column;
    let found = shown_plan::Entity::update_many().col_expr(Column::Drift, Expr::value(0));
    found.filter(Column::WorkspaceId.eq(id)).filter(has_drift()).exec(tx).await.map(|_| ())
}

/// When the first plan was made that found drift, after the last one that found none and after a state was stored.
///
/// # Errors
/// When a query fails.
pub async fn drift_since(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
    state_stored_at: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    use shown_plan::Column;
    let times = |select: Select<shown_plan::Entity>| select.select_only().column(Column::CreatedAt);
    let clean: Option<DateTime<Utc>> = times(whole_plans(id).filter(Column::Drift.eq(0)))
        .order_by_desc(Column::CreatedAt)
        .into_tuple()
        .one(db)
        .await?;
    let mut found = times(whole_plans(id).filter(has_drift()));
    if let Some(settled) = clean.max(state_stored_at) {
        found = found.filter(Column::CreatedAt.gte(settled));
    }
    found.order_by_asc(Column::CreatedAt).into_tuple().one(db).await
}
