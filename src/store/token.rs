//! API tokens.

use entity::api_token;
use entity::id::{OrganizationId, TokenId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
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

/// Stores a new token.
///
/// # Errors
/// When the statement fails.
pub async fn create(db: &impl ConnectionTrait, row: api_token::Model) -> Result<api_token::Model, DbErr> {
    api_token::ActiveModel::from(row).reset_all().insert(db).await
}

/// Deletes a token. Returns false if it no longer exists.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: TokenId) -> Result<bool, DbErr> {
    Ok(api_token::Entity::delete_by_id(id).exec(db).await?.rows_affected > 0)
}
