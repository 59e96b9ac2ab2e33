//! Deployments that can start or continue.

use entity::deployment;
use entity::deployment::Progress;
use entity::id::DeploymentId;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

/// The oldest queued deployment of each environment that has none running, except for those in `paused`.
///
/// # Errors
/// When the query fails.
pub async fn due(db: &impl ConnectionTrait, paused: Vec<Uuid>, limit: u64) -> Result<Vec<DeploymentId>, DbErr> {
    next_of_environments()
        .select_only()
        .column(deployment::Column::Id)
        .filter(deployment::Column::Id.is_not_in(paused))
        .order_by_asc(deployment::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Whether a deployment is still the next one of its environment, which the caller has locked.
///
/// # Errors
/// When the query fails.
pub async fn is_due(db: &impl ConnectionTrait, id: DeploymentId) -> Result<bool, DbErr> {
    Ok(next_of_environments().filter(deployment::Column::Id.eq(id)).one(db).await?.is_some())
}

fn next_of_environments() -> Select<deployment::Entity> {
    const NOTHING_BEFORE: &str = "NOT EXISTS (SELECT 1 FROM deployment o \
         WHERE o.environment_id = deployment.environment_id AND (o.progress = 'RUNNING' \
         OR (o.progress = 'QUEUED' AND o.number < deployment.number)))";
    deployment::Entity::find()
        .filter(deployment::Column::Progress.eq(Progress::Queued))
        .filter(Expr::cust(NOTHING_BEFORE))
}

/// Running deployments that can continue: the run of a part has ended (and, if the job is removed, all of its runs), or
/// no part is running. Those in `paused` are left out unless they are cancelled.
///
/// # Errors
/// When the query fails.
pub async fn list_ready(db: &impl ConnectionTrait, paused: Vec<Uuid>, limit: u64) -> Result<Vec<DeploymentId>, DbErr> {
    const ENDED: &str = "EXISTS (SELECT 1 FROM deployment_job p \
         WHERE p.deployment_id = deployment.id AND p.progress = 'RUNNING' AND NOT EXISTS (SELECT 1 FROM run r \
         WHERE r.job_id = p.job_id AND r.state IN ('QUEUED', 'RUNNING') AND (r.id = p.run_id OR r.id = p.build_run_id \
         OR (deployment.action <> 'DEPLOY' AND p.forced_event IS NULL))))";
    const IDLE: &str = "NOT EXISTS (SELECT 1 FROM deployment_job p \
         WHERE p.deployment_id = deployment.id AND p.progress = 'RUNNING')";
    let tried = Condition::any()
        .add(deployment::Column::Id.is_not_in(paused))
        .add(deployment::Column::CancelRequestedAt.is_not_null());
    deployment::Entity::find()
        .select_only()
        .column(deployment::Column::Id)
        .filter(deployment::Column::Progress.eq(Progress::Running))
        .filter(Condition::any().add(Expr::cust(ENDED)).add(Expr::cust(IDLE)))
        .filter(tried)
        .order_by_asc(deployment::Column::UpdatedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
