//! /organization/{organizationId}/apiToken.

use std::sync::Arc;

use entity::api_token;
use entity::id::{OrganizationId, TokenId};
use entity::member::Role;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

#[derive(Debug, Deserialize, Serialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationApiTokenScope {
    Admin,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationApiTokenCreateRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    /// Older clients send it; the role decides.
    #[serde(default, rename = "scope")]
    #[oai(default, rename = "scope")]
    _scope: Option<OrganizationApiTokenScope>,
    #[serde(default)]
    #[oai(default)]
    role_id: Option<Uuid>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationApiToken {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: String,
    role_name: String,
    role_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationApiTokenCreate {
    #[serde(flatten)]
    #[oai(flatten)]
    stored: OrganizationApiToken,
    token: String,
}

/// The roles that have no row of their own, with their names and ids.
const ROLES: [(Role, &str, Uuid); 5] = [
    (Role::Owner, "owner", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001)),
    (Role::Admin, "admin", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0002)),
    (Role::Devops, "devops", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0003)),
    (Role::Billing, "billing", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0004)),
    (Role::Viewer, "viewer", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0005)),
];

fn role(id: Option<Uuid>) -> Result<Role> {
    let Some(id) = id else { return Ok(Role::Admin) };
    ROLES
        .iter()
        .find(|(role, _, known)| *known == id && *role != Role::Owner)
        .map(|(role, _, _)| *role)
        .ok_or_else(|| Error::invalid("role_id", "is not a role that a token can have"))
}

impl From<api_token::Model> for OrganizationApiToken {
    fn from(row: api_token::Model) -> Self {
        let api_token::Model { id, organization_id: _, created_at, updated_at, name, description, role, hash: _ } = row;
        let known = ROLES.iter().find(|(known, _, _)| *known == role);
        let (role_name, role_id) = known.map_or(("", Uuid::nil()), |(_, name, id)| (*name, *id));
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            description: description.unwrap_or_default(),
            role_name: role_name.to_owned(),
            role_id,
        }
    }
}

/// The handlers.
pub(super) struct TokenApi(pub(super) Arc<App>);

#[OpenApi]
impl TokenApi {
    #[oai(path = "/organization/:organizationId/apiToken", method = "get", operation_id = "listOrganizationApiTokens", tag = Tag::OrganizationApiToken)]
    async fn list_organization_api_tokens(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        name: Query<Option<String>>,
        #[oai(name = "creatorName")] creator_name: Query<Option<String>>,
    ) -> Result<Found<Results<OrganizationApiToken>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageTokens, id).await?;
        if creator_name.0.is_some() {
            return Err(Error::invalid(
                "creatorName",
                "creators of tokens are not kept, so they cannot be searched for",
            ));
        }
        let rows = store::token::list_by_organization(&self.0.db, id).await?;
        let wanted = rows.into_iter().filter(|row| name.0.as_ref().is_none_or(|name| row.name == *name));
        Ok(Answer(Results { results: wanted.map(OrganizationApiToken::from).collect() }))
    }

    #[oai(path = "/organization/:organizationId/apiToken", method = "post", operation_id = "createOrganizationApiToken", tag = Tag::OrganizationApiToken)]
    async fn create_organization_api_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationApiTokenCreateRequest>,
    ) -> Result<Created<OrganizationApiTokenCreate>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageTokens, id).await?;
        let OrganizationApiTokenCreateRequest { name, description, _scope: _, role_id } = body.0;
        let token = secret::new_token()?;
        let now = self.0.clock.now();
        let row = api_token::Model {
            id: TokenId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name: limits::name("name", &name)?,
            description: description.map(|text| limits::text("description", text)).transpose()?,
            role: role(role_id)?,
            hash: secret::TokenHash::of(token.expose()).stored(),
        };
        let stored = store::token::create(&self.0.db, row).await?.into();
        Ok(Answer(OrganizationApiTokenCreate { stored, token: token.expose().clone() }))
    }

    #[oai(path = "/organization/:organizationId/apiToken/:apiTokenId", method = "delete", operation_id = "deleteOrganizationApiToken", tag = Tag::OrganizationApiToken)]
    async fn delete_organization_api_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "apiTokenId")] api_token_id: Path<Uuid>,
    ) -> Result<Gone> {
        let organization = OrganizationId(organization_id.0);
        let id = TokenId(api_token_id.0);
        let row = access::token(&self.0.db, &auth.0, Action::ManageTokens, organization, id).await?;
        store::token::delete(&self.0.db, row.id).await?;
        self.0.authenticator.forget();
        Ok(Gone)
    }
}
