//! Deployment restrictions of jobs.

use entity::id::{EnvironmentId, JobId};
use entity::{deployment_restriction, job};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The deployment restrictions of a job.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: JobId) -> Result<Vec<deployment_restriction::Model>, DbErr> {
    deployment_restriction::Entity::find()
        .filter(deployment_restriction::Column::JobId.eq(id))
        .order_by_asc(deployment_restriction::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The deployment restrictions of all jobs of an environment.
///
/// # Errors
/// When the query fails.
pub async fn list_below_environment(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
) -> Result<Vec<deployment_restriction::Model>, DbErr> {
    let jobs = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::EnvironmentId.eq(id))
        .to_owned();
    deployment_restriction::Entity::find()
        .filter(deployment_restriction::Column::JobId.in_subquery(jobs))
        .order_by_asc(deployment_restriction::Column::Id)
        .all(db)
        .await
}
