//! Organizations.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PersonId};
use entity::member::Role;
use entity::{member, organization};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::page::PAGE;
use super::workspace::{StepsOf, expire_runs};

/// One organization.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<organization::Model>, DbErr> {
    organization::Entity::find_by_id(id).one(db).await
}

/// The organizations with these ids.
///
/// # Errors
/// When the query fails.
pub async fn list_by_ids(
    db: &impl ConnectionTrait,
    ids: Vec<OrganizationId>,
) -> Result<Vec<organization::Model>, DbErr> {
    organization::Entity::find()
        .filter(organization::Column::Id.is_in(ids))
        .order_by_asc(organization::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// All organizations, oldest first, up to a page.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<organization::Model>, DbErr> {
    organization::Entity::find().order_by_asc(organization::Column::Id).limit(PAGE).all(db).await
}

/// The organizations of this name, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_by_name(db: &impl ConnectionTrait, name: &str) -> Result<Vec<organization::Model>, DbErr> {
    organization::Entity::find()
        .filter(organization::Column::Name.eq(name))
        .order_by_asc(organization::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The organization that was created first.
///
/// # Errors
/// When the query fails.
pub async fn first(db: &impl ConnectionTrait) -> Result<Option<OrganizationId>, DbErr> {
    let oldest = organization::Entity::find()
        .select_only()
        .column(organization::Column::Id)
        .order_by_asc(organization::Column::CreatedAt)
        .order_by_asc(organization::Column::Id);
    oldest.limit(1).into_tuple().one(db).await
}

/// The owner of an organization, if it is a person.
///
/// # Errors
/// When the query fails.
pub async fn owner(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<PersonId>, DbErr> {
    let row = member::Entity::find()
        .filter(member::Column::OrganizationId.eq(id))
        .filter(member::Column::Role.eq(Role::Owner))
        .one(db)
        .await?;
    Ok(row.map(|member| member.person_id))
}

/// Stores a new organization.
///
/// # Errors
/// When the statement fails.
pub async fn create(db: &impl ConnectionTrait, row: organization::Model) -> Result<organization::Model, DbErr> {
    organization::ActiveModel::from(row).reset_all().insert(db).await
}

/// Deletes an organization with everything in it. Call this in a transaction.
///
/// # Errors
/// A foreign key violation while it still has projects.
pub async fn delete(tx: &impl ConnectionTrait, id: OrganizationId, now: DateTime<Utc>) -> Result<(), DbErr> {
    expire_runs(tx, StepsOf::Organization(id), now).await?;
    // Invitations, tokens and members refer to custom roles, which the cascade would delete first.
    entity::invitation::Entity::delete_many()
        .filter(entity::invitation::Column::OrganizationId.eq(id))
        .exec(tx)
        .await?;
    entity::api_token::Entity::delete_many().filter(entity::api_token::Column::OrganizationId.eq(id)).exec(tx).await?;
    member::Entity::delete_many().filter(member::Column::OrganizationId.eq(id)).exec(tx).await?;
    organization::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}
