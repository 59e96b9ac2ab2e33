//! Git token requests, and their validation.

use entity::git_token::Model;
use entity::job_spec::GitProvider;
use poem_openapi::Object;
use serde::Deserialize;

use super::super::job::GitProviderEnum;
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::secret;
use crate::secret::stored_binding::git_host;

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

impl GitTokenRequest {
    /// Validates the request and writes it to a row. An empty token keeps the stored one, unless it would belong to another host.
    pub(super) fn apply(self, app: &App, row: Model) -> Result<Model> {
        let Self { name, description, provider, token, workspace, git_api_url } = self;
        let provider = GitProvider::from(provider);
        let workspace = workspace.filter(|text| !text.is_empty());
        if provider == GitProvider::Bitbucket && workspace.is_none() {
            return Err(Error::invalid("workspace", "is required for BITBUCKET"));
        }
        let api_url = match git_api_url.filter(|url| !url.is_empty()) {
            Some(url) => limits::web_address("git_api_url", &url)?,
            None if row.token.is_some() && row.provider == provider => row.api_url.clone(),
            None => default_api_url(provider).to_owned(),
        };
        let own = git_host(row.provider, &row.api_url);
        let moved = own != git_host(provider, &api_url);
        let sealed = match (token.is_empty(), &row.token) {
            (true, Some(_)) if moved => {
                let own = own.map(|own| own.to_string()).unwrap_or_default();
                return Err(Error::invalid(
                    "token",
                    format!("must be given again, because the stored one belongs to {own}"),
                ));
            }
            (true, Some(sealed)) => sealed.clone(),
            (true, None) => return Err(Error::invalid("token", "must not be empty")),
            (false, _) => {
                let token = limits::text("token", token)?;
                app.keys.seal(&secret::place("git_token", row.id.0), token.as_bytes())?
            }
        };
        Ok(Model {
            name: limits::name("name", &name)?,
            description: limits::text("description", description.unwrap_or(row.description))?,
            provider,
            workspace: workspace.map(|text| limits::name("workspace", &text)).transpose()?,
            api_url,
            token: Some(sealed),
            earlier_urls: row.earlier_urls.filter(|_| !moved),
            ..row
        })
    }
}

/// The default API address of a provider; a request may set another one.
fn default_api_url(provider: GitProvider) -> &'static str {
    match provider {
        GitProvider::Bitbucket => "https://api.bitbucket.org",
        GitProvider::Github => "https://api.github.com",
        GitProvider::Gitlab => "https://gitlab.com/api/v4",
    }
}
