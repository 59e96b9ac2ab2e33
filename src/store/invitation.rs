//! Invitations to an organization.

use entity::id::OrganizationId;
use entity::invitation;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The invitations of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(id))
        .order_by_asc(invitation::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The invitations of the person with this address, whose ASCII letters are stored in lower case.
///
/// # Errors
/// When the query fails.
pub async fn list_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Vec<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::Email.eq(email.to_ascii_lowercase()))
        .order_by_asc(invitation::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}
