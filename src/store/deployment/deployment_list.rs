//! Lists and counts of deployments.

use entity::deployment;
use entity::deployment::{Action, Progress, Scope};
use entity::id::{DeploymentId, EnvironmentId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// The newest deployment of an environment.
///
/// # Errors
/// When the query fails.
pub async fn newest_by_environment(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
) -> Result<Option<deployment::Model>, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .order_by_desc(deployment::Column::Number)
        .one(db)
        .await
}

/// The newest deployments of an environment, before `before` if given.
///
/// # Errors
/// When the query fails.
pub async fn list_newest(
    db: &impl ConnectionTrait,
    id: EnvironmentId,
    before: Option<DeploymentId>,
    limit: u64,
) -> Result<Vec<deployment::Model>, DbErr> {
    let mut select = deployment::Entity::find().filter(deployment::Column::EnvironmentId.eq(id));
    if let Some(before) = before {
        select = select.filter(deployment::Column::Id.lt(before));
    }
    select.order_by_desc(deployment::Column::Number).limit(limit).all(db).await
}

/// The open deployments of an environment, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_open(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<deployment::Model>, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .order_by_asc(deployment::Column::Number)
        .limit(PAGE)
        .all(db)
        .await
}

/// Whether an open deployment deletes the environment.
///
/// # Errors
/// When the query fails.
pub async fn is_environment_being_deleted(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<bool, DbErr> {
    let found = deployment::Entity::find()
        .select_only()
        .column(deployment::Column::Id)
        .filter(deployment::Column::EnvironmentId.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .filter(deployment::Column::Scope.eq(Scope::Environment))
        .filter(deployment::Column::Action.eq(Action::Delete))
        .limit(1)
        .into_tuple::<DeploymentId>()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Counts the open deployments of an environment.
///
/// # Errors
/// When the query fails.
pub async fn count_open_by_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<u64, DbErr> {
    deployment::Entity::find()
        .filter(deployment::Column::EnvironmentId.eq(id))
        .filter(deployment::Column::Progress.is_in([Progress::Queued, Progress::Running]))
        .count(db)
        .await
}

/// Counts the queued and the running deployments.
///
/// # Errors
/// When the query fails.
pub async fn count_by_progress(db: &impl ConnectionTrait) -> Result<(u64, u64), DbErr> {
    let of = |progress: Progress| deployment::Entity::find().filter(deployment::Column::Progress.eq(progress));
    Ok((of(Progress::Queued).count(db).await?, of(Progress::Running).count(db).await?))
}
