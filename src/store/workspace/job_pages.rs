//! Workspace jobs as lists: of a workspace, and the open ones.

use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace_job::{Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// The condition of the partial index, in exactly the same words.
pub(super) const OPEN: &str = "workspace_job.status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved')";

/// A page of the jobs of a workspace, the newest first, and how many there are.
///
/// # Errors
/// When a query fails.
pub async fn jobs_of(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
    (offset, limit): (u64, u64),
) -> Result<(Vec<Model>, u64), DbErr> {
    let these = || Entity::find().filter(Column::WorkspaceId.eq(id));
    let page = these().order_by_desc(Column::Id).offset(offset).limit(limit).all(db).await?;
    Ok((page, these().count(db).await?))
}

/// The open jobs of a workspace of which no step has begun, the oldest first; at most a page of them.
///
/// # Errors
/// When the query fails.
pub async fn unbegun_jobs(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Vec<Model>, DbErr> {
    const UNBEGUN: &str =
        "NOT EXISTS (SELECT 1 FROM workspace_step s WHERE s.job_id = workspace_job.id AND s.status <> 'pending')";
    Entity::find()
        .filter(Expr::cust(OPEN))
        .filter(Column::WorkspaceId.eq(id))
        .filter(Expr::cust(UNBEGUN))
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The open jobs of an organization, the oldest first; at most a page of them.
///
/// # Errors
/// When the query fails.
pub async fn open_jobs(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Expr::cust(OPEN))
        .filter(Column::OrganizationId.eq(id))
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The job of a workspace that is carried out or next; none if only plans are made.
///
/// # Errors
/// When the query fails.
pub async fn current_job(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<i32>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Expr::cust(OPEN))
        .filter(Column::WorkspaceId.eq(id))
        .filter(Column::PlanOnly.eq(false))
        .order_by_asc(Column::Id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}
