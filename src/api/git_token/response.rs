//! Git token responses.

use entity::git_token::Model;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::job::GitProviderEnum;
use super::super::wire::Timestamp;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct GitTokenResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: String,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    provider: GitProviderEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    associated_services_count: i64,
    git_api_url: String,
}

impl GitTokenResponse {
    pub(super) fn new(row: Model, jobs: i64) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            name,
            description,
            provider,
            workspace,
            api_url,
            token: _,
            earlier_urls: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            description,
            provider: provider.into(),
            workspace,
            associated_services_count: jobs,
            git_api_url: api_url,
        }
    }
}
