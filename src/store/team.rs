//! Teams, their access to single workspaces, and the access tokens of people and groups.

use entity::{access_token, team, workspace_access};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The teams with these names, in all organizations.
///
/// # Errors
/// When the query fails.
pub async fn list_by_names(db: &impl ConnectionTrait, names: &[String]) -> Result<Vec<team::Model>, DbErr> {
    let named = team::Column::Name.is_in(names.iter().map(String::as_str));
    team::Entity::find().filter(named).limit(PAGE).all(db).await
}

/// The access of these teams to single workspaces.
///
/// # Errors
/// When the query fails.
pub async fn list_accesses_by_names(
    db: &impl ConnectionTrait,
    names: &[String],
) -> Result<Vec<workspace_access::Model>, DbErr> {
    let named = workspace_access::Column::Name.is_in(names.iter().map(String::as_str));
    workspace_access::Entity::find().filter(named).limit(10 * PAGE).all(db).await
}

/// The token with this SHA-256.
///
/// # Errors
/// When the query fails.
pub async fn token_by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<access_token::Model>, DbErr> {
    access_token::Entity::find().filter(access_token::Column::Hash.eq(hash)).one(db).await
}

/// The access tokens of a person, or of all groups, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_tokens(
    db: &impl ConnectionTrait,
    person: Option<entity::id::PersonId>,
) -> Result<Vec<access_token::Model>, DbErr> {
    let of = match person {
        Some(person) => access_token::Column::PersonId.eq(person),
        None => access_token::Column::PersonId.is_null(),
    };
    access_token::Entity::find().filter(of).order_by_desc(access_token::Column::Id).limit(PAGE).all(db).await
}
