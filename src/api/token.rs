//! API tokens of an organization.

use std::sync::Arc;

use entity::id::{OrganizationId, TokenId};
use entity::member::Role;
use entity::{api_token, custom_role};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Auth;
use super::role;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::organization_token::{self, NewToken};
use crate::error::{Error, Result};
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
    /// Sent by older clients, and ignored: the role decides.
    #[serde(default, rename = "scope")]
    #[oai(default, rename = "scope")]
    _scope: Option<OrganizationApiTokenScope>,
    #[serde(default)]
    #[oai(default)]
    role_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    expires_at: Option<Timestamp>,
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
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationApiTokenCreate {
    #[serde(flatten)]
    #[oai(flatten)]
    stored: OrganizationApiToken,
    token: String,
}

impl OrganizationApiToken {
    fn new(row: api_token::Model, custom: &[custom_role::Model]) -> Self {
        let api_token::Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            name,
            description,
            role,
            custom_role_id,
            hash: _,
            expires_at,
            last_used_at,
            person_id: _,
        } = row;
        let (role_name, role_id) = role::name_and_id((role, custom_role_id), custom);
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            description: description.unwrap_or_default(),
            role_name,
            role_id,
            expires_at: expires_at.map(Timestamp),
            last_used_at: last_used_at.map(Timestamp),
        }
    }
}

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
    ) -> Result<Success<Results<OrganizationApiToken>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageTokens, id).await?;
        if creator_name.0.is_some() {
            return Err(Error::invalid("creatorName", "is not supported: token creators are not recorded"));
        }
        let rows = store::token::list_by_organization(&self.0.db, id).await?;
        let matching = rows.into_iter().filter(|row| name.0.as_ref().is_none_or(|name| row.name == *name));
        let custom = store::custom_role::list(&self.0.db, id).await?;
        Ok(Json(Results { results: matching.map(|row| OrganizationApiToken::new(row, &custom)).collect() }))
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
        let OrganizationApiTokenCreateRequest { name, description, _scope: _, role_id, expires_at } = body.0;
        let (role, custom_role_id) = match role_id {
            Some(role_id) => role::assignable(&self.0.db, "role_id", id, role_id).await?,
            None => (Role::Admin, None),
        };
        let expires_at = expires_at.map(|at| at.0);
        let asked = NewToken { name, description, role: (role, custom_role_id), expires_at };
        let (stored, token) =
            organization_token::create(&self.0, &auth.requester(), id, asked, OrganizationApiToken::new).await?;
        Ok(Json(OrganizationApiTokenCreate { stored, token: token.expose().clone() }))
    }

    #[oai(path = "/organization/:organizationId/apiToken/:apiTokenId", method = "delete", operation_id = "deleteOrganizationApiToken", tag = Tag::OrganizationApiToken)]
    async fn delete_organization_api_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "apiTokenId")] api_token_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let organization = OrganizationId(organization_id.0);
        let id = TokenId(api_token_id.0);
        let row = access::token(&self.0.db, &auth.0, Action::ManageTokens, organization, id).await?;
        organization_token::revoke(&self.0, &auth.requester(), &row).await?;
        Ok(EmptyResponse)
    }
}
