//! Custom roles of an organization.

use entity::custom_role;
use entity::id::{CustomRoleId, OrganizationId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The custom roles of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<custom_role::Model>, DbErr> {
    custom_role::Entity::find()
        .filter(custom_role::Column::OrganizationId.eq(id))
        .order_by_asc(custom_role::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The roles with these ids.
///
/// # Errors
/// When the query fails.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<CustomRoleId>) -> Result<Vec<custom_role::Model>, DbErr> {
    custom_role::Entity::find().filter(custom_role::Column::Id.is_in(ids)).all(db).await
}
