//! Expiry of old deployments.

use chrono::{DateTime, Utc};
use entity::deployment;
use entity::id::DeploymentId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The state of an environment is derived from its newest deployment, and that of a job from its newest part, or the newest one that no
/// event was forced in.
const REPLACED: &str = "EXISTS (SELECT 1 FROM deployment n WHERE n.environment_id = deployment.environment_id \
     AND n.number > deployment.number) AND NOT EXISTS (SELECT 1 FROM deployment_job p \
     WHERE p.deployment_id = deployment.id AND NOT EXISTS (SELECT 1 FROM deployment_job q \
     WHERE q.job_id = p.job_id AND q.deployment_id > p.deployment_id \
     AND (p.forced_event IS NOT NULL OR q.forced_event IS NULL)))";

/// Deployments that ended before `before`, and that no state is derived from; except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn list_expired(
    db: &impl ConnectionTrait,
    paused: Vec<Uuid>,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<DeploymentId>, DbErr> {
    deployment::Entity::find()
        .select_only()
        .column(deployment::Column::Id)
        .filter(deployment::Column::FinishedAt.lt(before))
        .filter(deployment::Column::Id.is_not_in(paused))
        .filter(Expr::cust(REPLACED))
        .order_by_asc(deployment::Column::FinishedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Deletes a deployment with its parts. Their runs stay.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: DeploymentId) -> Result<(), DbErr> {
    deployment::Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
