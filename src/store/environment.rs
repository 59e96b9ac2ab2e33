//! Environments.

use entity::id::{EnvironmentId, OrganizationId, ProjectId};
use entity::{cluster, environment};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::page::PAGE;
use super::run;

/// One environment.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Option<environment::Model>, DbErr> {
    environment::Entity::find_by_id(id).one(db).await
}

/// One environment, locked until the transaction ends, so that its deployments are numbered in sequence.
///
/// # Errors
/// When the query fails.
pub async fn lock(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Option<environment::Model>, DbErr> {
    environment::Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// One environment, which nobody else can lock until the transaction ends, but several can share.
///
/// # Errors
/// When the query fails.
pub async fn share(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Option<environment::Model>, DbErr> {
    environment::Entity::find_by_id(id).lock_shared().one(db).await
}

/// The environments of a project.
///
/// # Errors
/// When the query fails.
pub async fn list_by_project(db: &impl ConnectionTrait, id: ProjectId) -> Result<Vec<environment::Model>, DbErr> {
    environment::Entity::find()
        .filter(environment::Column::ProjectId.eq(id))
        .order_by_asc(environment::Column::CreatedAt)
        .order_by_asc(environment::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The cluster of an environment.
///
/// # Errors
/// When the query fails or the environment has none, which the schema forbids.
pub async fn cluster_of(db: &impl ConnectionTrait, row: &environment::Model) -> Result<cluster::Model, DbErr> {
    super::cluster::by_id(db, row.cluster_id)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound(format!("cluster {}", row.cluster_id)))
}

/// Stores a new environment.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn create(db: &impl ConnectionTrait, row: environment::Model) -> Result<environment::Model, DbErr> {
    environment::ActiveModel::from(row).reset_all().insert(db).await
}

/// Replaces a row.
///
/// # Errors
/// A unique violation when the name is taken.
pub async fn update(db: &impl ConnectionTrait, row: environment::Model) -> Result<environment::Model, DbErr> {
    environment::ActiveModel::from(row).reset_all().update(db).await
}

/// Deletes an environment with everything in it. Call this in a transaction.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<(), DbErr> {
    run::retention::keep_unconfirmed(db, Condition::all().add(run::of_environment(id))).await?;
    environment::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// The environments of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<environment::Model>, DbErr> {
    environment::Entity::find()
        .filter(environment::Column::OrganizationId.eq(id))
        .order_by_asc(environment::Column::CreatedAt)
        .order_by_asc(environment::Column::Id)
        .limit(10 * PAGE)
        .all(db)
        .await
}
