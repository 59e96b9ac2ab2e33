//! Clusters.

use entity::cluster::{self, ClusterKind};
use entity::id::{ClusterId, OrganizationId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::page::PAGE;

/// The clusters of an organization, the default one first.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<cluster::Model>, DbErr> {
    cluster::Entity::find()
        .filter(cluster::Column::OrganizationId.eq(id))
        .order_by_desc(cluster::Column::IsDefault)
        .order_by_asc(cluster::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// One cluster.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: ClusterId) -> Result<Option<cluster::Model>, DbErr> {
    cluster::Entity::find_by_id(id).one(db).await
}

/// Locks a cluster until the end of the transaction.
///
/// # Errors
/// When the query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: ClusterId) -> Result<Option<cluster::Model>, DbErr> {
    cluster::Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Keeps a cluster from being changed or deleted until the end of the transaction.
///
/// # Errors
/// When the query fails.
pub async fn lock_shared(tx: &impl ConnectionTrait, id: ClusterId) -> Result<Option<cluster::Model>, DbErr> {
    cluster::Entity::find_by_id(id).lock_shared().one(tx).await
}

/// Whether an organization has the cluster `local`.
///
/// # Errors
/// When the query fails.
pub async fn has_local(db: &impl ConnectionTrait, id: OrganizationId) -> Result<bool, DbErr> {
    let local = cluster::Column::Kind.eq(ClusterKind::Local);
    let found = cluster::Entity::find().filter(cluster::Column::OrganizationId.eq(id)).filter(local);
    found.limit(1).count(db).await.map(|count| count > 0)
}

/// Stores a new cluster.
///
/// # Errors
/// When the statement fails.
pub async fn create(db: &impl ConnectionTrait, row: cluster::Model) -> Result<cluster::Model, DbErr> {
    cluster::ActiveModel::from(row).reset_all().insert(db).await
}
