//! Deployment restrictions of jobs.

use entity::deployment_restriction;
use entity::id::JobId;
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
