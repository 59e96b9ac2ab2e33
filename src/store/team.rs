//! Teams, their access to single workspaces, and the access tokens of people and groups.

use chrono::{DateTime, Utc};
use entity::id::{AccessTokenId, OrganizationId, PersonId};
use entity::{access_token, member, team, workspace_access};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

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

/// Which of these names are those of teams of an organization, or have access to one of its workspaces.
///
/// # Errors
/// When a query fails.
pub async fn known_names(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    names: &[&str],
) -> Result<Vec<String>, DbErr> {
    let teams = team::Entity::find().select_only().column(team::Column::Name).distinct();
    let teams = teams.filter(team::Column::OrganizationId.eq(organization));
    let teams = teams.filter(team::Column::Name.is_in(names.iter().copied())).limit(PAGE).into_tuple().all(db);
    let access = workspace_access::Entity::find().select_only().column(workspace_access::Column::Name).distinct();
    let access = access.filter(workspace_access::Column::OrganizationId.eq(organization));
    let access = access.filter(workspace_access::Column::Name.is_in(names.iter().copied()));
    let mut known: Vec<String> = teams.await?;
    known.extend(access.limit(PAGE).into_tuple::<String>().all(db).await?);
    Ok(known)
}

/// The token with this SHA-256.
///
/// # Errors
/// When the query fails.
pub async fn token_by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<access_token::Model>, DbErr> {
    access_token::Entity::find().filter(access_token::Column::Hash.eq(hash)).one(db).await
}

/// Whose access tokens to list.
#[derive(Clone, Copy, Debug)]
pub enum TokensOf {
    Person(PersonId),
    /// Those of all teams.
    Teams,
    /// Those of the members of an organization, and those that they created for teams.
    Members(OrganizationId),
    Anybody,
}

impl TokensOf {
    fn condition(self) -> Condition {
        let members = |id: OrganizationId| {
            let ids = member::Entity::find().select_only().column(member::Column::PersonId);
            ids.filter(member::Column::OrganizationId.eq(id)).into_query()
        };
        match self {
            Self::Person(id) => Condition::all().add(access_token::Column::PersonId.eq(id)),
            Self::Teams => Condition::all().add(access_token::Column::PersonId.is_null()),
            Self::Members(id) => Condition::any()
                .add(access_token::Column::PersonId.in_subquery(members(id)))
                .add(access_token::Column::CreatorId.in_subquery(members(id))),
            Self::Anybody => Condition::all(),
        }
    }
}

/// Access tokens, newest first; all of them, or the one with this id.
///
/// # Errors
/// When the query fails.
pub async fn list_tokens(
    db: &impl ConnectionTrait,
    of: TokensOf,
    id: Option<AccessTokenId>,
) -> Result<Vec<access_token::Model>, DbErr> {
    let mut select = access_token::Entity::find().filter(of.condition());
    if let Some(id) = id {
        select = select.filter(access_token::Column::Id.eq(id));
    }
    select.order_by_desc(access_token::Column::Id).limit(PAGE).all(db).await
}

/// Records when a token was last used.
///
/// # Errors
/// When the statement fails.
pub async fn set_last_use(db: &impl ConnectionTrait, id: AccessTokenId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = access_token::ActiveModel { last_used_at: ActiveValue::Set(Some(now)), ..Default::default() };
    access_token::Entity::update_many().set(row).filter(access_token::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}
