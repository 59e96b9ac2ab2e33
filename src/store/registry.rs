//! Container registries.

use std::collections::HashMap;

use entity::id::{OrganizationId, RegistryId};
use entity::{job, registry};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::page::PAGE;

/// One registry.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: RegistryId) -> Result<Option<registry::Model>, DbErr> {
    registry::Entity::find_by_id(id).one(db).await
}

/// The registries of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<registry::Model>, DbErr> {
    registry::Entity::find()
        .filter(registry::Column::OrganizationId.eq(id))
        .order_by_asc(registry::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Counts the jobs that use each of the registries of an organization; unused ones are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_jobs(db: &impl ConnectionTrait, id: OrganizationId) -> Result<HashMap<RegistryId, i64>, DbErr> {
    let rows: Vec<(RegistryId, i64)> = job::Entity::find()
        .select_only()
        .column(job::Column::RegistryId)
        .column_as(job::Column::Id.count(), "jobs")
        .filter(job::Column::OrganizationId.eq(id))
        .filter(job::Column::RegistryId.is_not_null())
        .group_by(job::Column::RegistryId)
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Stores a new registry.
///
/// # Errors
/// When the statement fails.
pub async fn create(db: &impl ConnectionTrait, row: registry::Model) -> Result<registry::Model, DbErr> {
    registry::ActiveModel::from(row).reset_all().insert(db).await
}

/// Deletes a registry.
///
/// # Errors
/// A foreign key violation when jobs use it.
pub async fn delete(db: &impl ConnectionTrait, id: RegistryId) -> Result<(), DbErr> {
    registry::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
