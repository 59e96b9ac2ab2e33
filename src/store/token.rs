//! API tokens.

use chrono::{DateTime, Utc};
use entity::api_token;
use entity::id::{OrganizationId, TokenId};
use entity::member::Role;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::page::PAGE;

/// The token with this SHA-256.
///
/// # Errors
/// When the query fails.
pub async fn by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<api_token::Model>, DbErr> {
    api_token::Entity::find().filter(api_token::Column::Hash.eq(hash)).one(db).await
}

/// One token.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: TokenId) -> Result<Option<api_token::Model>, DbErr> {
    api_token::Entity::find_by_id(id).one(db).await
}

/// The tokens of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<api_token::Model>, DbErr> {
    api_token::Entity::find()
        .filter(api_token::Column::OrganizationId.eq(id))
        .order_by_asc(api_token::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// The oldest token of an organization with the role of an administrator.
///
/// # Errors
/// When the query fails.
pub async fn first_admin(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<api_token::Model>, DbErr> {
    api_token::Entity::find()
        .filter(api_token::Column::OrganizationId.eq(id))
        .filter(api_token::Column::Role.eq(Role::Admin))
        .order_by_asc(api_token::Column::CreatedAt)
        .order_by_asc(api_token::Column::Id)
        .limit(1)
        .one(db)
        .await
}

/// Stores a new token.
///
/// # Errors
/// When the statement fails.
pub async fn create(db: &impl ConnectionTrait, row: api_token::Model) -> Result<api_token::Model, DbErr> {
    api_token::ActiveModel::from(row).reset_all().insert(db).await
}

/// Records when a token was last used.
///
/// # Errors
/// When the statement fails.
pub async fn set_last_use(db: &impl ConnectionTrait, id: TokenId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = api_token::ActiveModel { last_used_at: ActiveValue::Set(Some(now)), ..Default::default() };
    api_token::Entity::update_many().set(row).filter(api_token::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes a token. Returns false if it no longer exists.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: TokenId) -> Result<bool, DbErr> {
    Ok(api_token::Entity::delete_by_id(id).exec(db).await?.rows_affected > 0)
}
