//! Git token requests.

use poem_openapi::Object;
use serde::Deserialize;

use super::super::job::GitProviderEnum;
use crate::engine::settings::git_token_settings::WantedGitToken;

/// Not `Debug`: the request contains the token.
#[derive(Deserialize, Object)]
pub(super) struct GitTokenRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    provider: GitProviderEnum,
    token: String,
    #[serde(default)]
    #[oai(default)]
    workspace: Option<String>,
    #[serde(default)]
    #[oai(default)]
    git_api_url: Option<String>,
}

impl From<GitTokenRequest> for WantedGitToken {
    fn from(request: GitTokenRequest) -> Self {
        let GitTokenRequest { name, description, provider, token, workspace, git_api_url } = request;
        Self { name, description, provider: provider.into(), token, workspace, api_url: git_api_url }
    }
}
