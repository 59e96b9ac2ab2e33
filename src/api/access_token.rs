//! The personal and team access tokens behind an organization, for its administrators.

use std::sync::Arc;

use entity::access_token;
use entity::id::{AccessTokenId, OrganizationId};
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Auth;
use super::tag::Tag;
use super::wire::{EmptyResponse, Json, NoContent, Results, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::organization_token;
use crate::error::Result;

#[derive(Debug, Deserialize, Serialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum AccessTokenKindEnum {
    Personal,
    Team,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationAccessToken {
    id: Uuid,
    created_at: Timestamp,
    kind: AccessTokenKindEnum,
    name: String,
    description: String,
    created_by: String,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl From<access_token::Model> for OrganizationAccessToken {
    fn from(row: access_token::Model) -> Self {
        let access_token::Model {
            id,
            person_id,
            created_at,
            created_by,
            name,
            description,
            groups: _,
            hash: _,
            expires_at,
            last_used_at,
            creator_id: _,
            lifetime: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            kind: if person_id.is_some() { AccessTokenKindEnum::Personal } else { AccessTokenKindEnum::Team },
            name,
            description: description.unwrap_or_default(),
            created_by,
            expires_at: expires_at.map(Timestamp),
            last_used_at: last_used_at.map(Timestamp),
        }
    }
}

pub(super) struct AccessTokenApi(pub(super) Arc<App>);

#[OpenApi]
impl AccessTokenApi {
    #[oai(path = "/organization/:organizationId/accessToken", method = "get", operation_id = "listOrganizationAccessTokens", tag = Tag::OrganizationApiToken)]
    async fn list_organization_access_tokens(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<OrganizationAccessToken>>> {
        let id = OrganizationId(organization_id.0);
        let rows = access::access_tokens(&self.0.db, &auth.0, Action::ManageTokens, id).await?;
        Ok(Json(Results { results: rows.into_iter().map(OrganizationAccessToken::from).collect() }))
    }

    #[oai(path = "/organization/:organizationId/accessToken/:accessTokenId", method = "delete", operation_id = "deleteOrganizationAccessToken", tag = Tag::OrganizationApiToken)]
    async fn delete_organization_access_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "accessTokenId")] access_token_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let organization = OrganizationId(organization_id.0);
        let id = AccessTokenId(access_token_id.0);
        let row = access::access_token(&self.0.db, &auth.0, Action::ManageTokens, organization, id).await?;
        organization_token::revoke_access_token(&self.0, &auth.requester(), organization, &row).await?;
        Ok(EmptyResponse)
    }
}
