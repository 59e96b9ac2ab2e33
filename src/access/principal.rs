//! With whose rights something acts that outlives the request that made it: a workspace job that waits for its approval, or a
//! schedule. Only who it is gets stored; the rights are those at the time when they are needed.

use std::fmt;
use std::str::FromStr;

use entity::id::{AccessTokenId, OrganizationId, PersonId, TokenId};
use entity::{access_token, api_token, person};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::caller::{Caller, Subject};
use super::membership::{grants, grants_of_token, groups_of};
use super::reach::{Reach, reach_of};
use crate::error::Result;
use crate::store;

/// A person, or a token in its own right. What a personal token asks for ends with the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    Person(PersonId),
    ApiToken(TokenId),
    /// A personal token, or that of a team.
    AccessToken(AccessTokenId),
}

impl Principal {
    fn of(caller: &Caller) -> Option<Self> {
        match (&caller.identity.subject, caller.identity.access_token, caller.identity.api_token) {
            (_, Some(id), _) => Some(Self::AccessToken(id)),
            (_, None, Some(id)) => Some(Self::ApiToken(id)),
            (Subject::Token { id, .. }, None, None) => Some(Self::ApiToken(*id)),
            (Subject::Person { id, .. }, None, None) => Some(Self::Person(*id)),
            (Subject::Group { .. }, None, None) => None,
        }
    }
}

/// Whose rights a request of this caller acts with, as it is stored.
#[must_use]
pub fn stored(caller: &Caller) -> String {
    Principal::of(caller).map_or_else(|| "nobody".into(), |principal| principal.to_string())
}

/// Who holds a lock that the caller takes: a person with any of their credentials, or a token.
#[must_use]
pub fn holder(caller: &Caller) -> String {
    caller.person().map(|id| Principal::Person(id).to_string()).unwrap_or_else(|| stored(caller))
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::ApiToken(id) => write!(f, "api-token:{id}"),
            Self::AccessToken(id) => write!(f, "access-token:{id}"),
        }
    }
}

/// A text that names no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPrincipal;

impl FromStr for Principal {
    type Err = UnknownPrincipal;

    fn from_str(text: &str) -> Result<Self, UnknownPrincipal> {
        let (kind, id) = text.split_once(':').ok_or(UnknownPrincipal)?;
        let id: Uuid = id.parse().map_err(|_| UnknownPrincipal)?;
        match kind {
            "person" => Ok(Self::Person(PersonId(id))),
            "api-token" => Ok(Self::ApiToken(TokenId(id))),
            "access-token" => Ok(Self::AccessToken(AccessTokenId(id))),
            _ => Err(UnknownPrincipal),
        }
    }
}

/// What a stored principal may do now: nothing if their token was revoked. A token that has merely expired still counts, because a
/// job may wait longer for its approval than a short-lived token lives.
///
/// # Errors
/// A database error.
pub async fn standing(db: &impl ConnectionTrait, stored: &str) -> Result<Reach> {
    let nothing = Reach::default();
    match stored.parse() {
        Ok(Principal::Person(id)) => of_person(db, id, &serde_json::Value::Null).await,
        Ok(Principal::ApiToken(id)) => match store::token::by_id(db, id).await? {
            Some(row) => of_token(db, row).await,
            None => Ok(nothing),
        },
        Ok(Principal::AccessToken(id)) => {
            let Some(row) = store::row::by_id::<access_token::Model>(db, id).await? else { return Ok(nothing) };
            match row.person_id {
                Some(person) => of_person(db, person, &row.groups).await,
                None => reach_of(db, &[], &serde_json::from_value::<Vec<_>>(row.groups).unwrap_or_default()).await,
            }
        }
        Err(UnknownPrincipal) => Ok(nothing),
    }
}

/// What stands behind a job or a schedule whose principal is unknown, because an earlier release stored it: the owner of the
/// organization, or the administrators' token that it has had the longest if it has no owner.
///
/// # Errors
/// A database error.
pub async fn owner_standing(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Reach> {
    if let Some(owner) = store::person::owner(db, organization).await? {
        return of_person(db, owner, &serde_json::Value::Null).await;
    }
    match store::token::first_admin(db, organization).await? {
        Some(row) => of_token(db, row).await,
        None => Ok(Reach::default()),
    }
}

async fn of_token(db: &impl ConnectionTrait, row: api_token::Model) -> Result<Reach> {
    reach_of(db, &grants_of_token(db, &row).await?, &[]).await
}

async fn of_person(db: &impl ConnectionTrait, id: PersonId, kept: &serde_json::Value) -> Result<Reach> {
    let Some(person) = store::row::by_id::<person::Model>(db, id).await? else { return Ok(Reach::default()) };
    let memberships = grants(db, store::person::list_memberships(db, id).await?).await?;
    reach_of(db, &memberships, &groups_of(&person, kept)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_read_as_they_were_written() {
        let id = Uuid::from_u128(7);
        let all = [
            Principal::Person(PersonId(id)),
            Principal::ApiToken(TokenId(id)),
            Principal::AccessToken(AccessTokenId(id)),
        ];
        for one in all {
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        for wrong in ["", "person", "person:", "person:x", "group:00000000-0000-0000-0000-000000000007"] {
            assert_eq!(wrong.parse::<Principal>(), Err(UnknownPrincipal), "{wrong}");
        }
    }
}
