//! /organization/{organizationId}/gitToken.

use std::sync::Arc;

use entity::git_token::Model;
use entity::id::{GitTokenId, OrganizationId};
use entity::job_spec::GitProvider;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::job::GitProviderEnum;
use super::limits;
use super::registry::AssociatedService;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;
use crate::store::job_usage::SharedResource;

const IN_USE: &str = "jobs use this git token; give them another one first";

/// Without Debug: it holds the token.
#[derive(Deserialize, Object)]
struct GitTokenRequest {
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

#[derive(Debug, Serialize, Deserialize, Object)]
struct GitTokenResponse {
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

fn answer(row: Model, jobs: i64) -> GitTokenResponse {
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
    } = row;
    GitTokenResponse {
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

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("GIT_TOKEN")
}

/// The API of a git host, where nobody says otherwise.
fn default_api(provider: GitProvider) -> &'static str {
    match provider {
        GitProvider::Bitbucket => "https://api.bitbucket.org",
        GitProvider::Github => "https://api.github.com",
        GitProvider::Gitlab => "https://gitlab.com/api/v4",
    }
}

/// The handlers.
pub(super) struct GitTokenApi(pub(super) Arc<App>);

#[OpenApi]
impl GitTokenApi {
    #[oai(path = "/organization/:organizationId/gitToken", method = "get", operation_id = "listOrganizationGitTokens", tag = Tag::OrganizationMainCalls)]
    async fn list_organization_git_tokens(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<GitTokenResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::git_token::count_jobs(&self.0.db, id).await?;
        let rows = store::git_token::list(&self.0.db, id).await?;
        let answer = |row: Model| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            answer(row, count)
        };
        Ok(Answer(Results { results: rows.into_iter().map(answer).collect() }))
    }

    #[oai(path = "/organization/:organizationId/gitToken", method = "post", operation_id = "createGitToken", tag = Tag::OrganizationMainCalls)]
    async fn create_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<GitTokenRequest>,
    ) -> Result<Created<GitTokenResponse>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let now = self.0.clock.now();
        let row = Model {
            id: GitTokenId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name: String::new(),
            description: String::new(),
            provider: GitProvider::Github,
            workspace: None,
            api_url: String::new(),
            token: None,
        };
        let row = self.apply(body.0, row)?;
        let row = audit::write(&self.0, &auth, id, async |tx| {
            let row = store::row::create(tx, row).await?;
            let change = change("CREATE", &row).after(&answer(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        Ok(Answer(answer(row, 0)))
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "get", operation_id = "getOrganizationGitToken", tag = Tag::OrganizationMainCalls)]
    async fn get_organization_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<Found<GitTokenResponse>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, git_token_id.0).await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "put", operation_id = "editGitToken", tag = Tag::OrganizationMainCalls)]
    async fn edit_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
        body: Body<GitTokenRequest>,
    ) -> Result<Found<GitTokenResponse>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, git_token_id.0).await?;
        let before = answer(row.clone(), 0);
        let row = Model { updated_at: self.0.clock.now(), ..self.apply(body.0, row)? };
        let row = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await?;
            let change = change("UPDATE", &row).before(&before).after(&answer(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "delete", operation_id = "deleteGitToken", tag = Tag::OrganizationMainCalls)]
    async fn delete_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<Gone> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, git_token_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), change("DELETE", &row).before(&answer(row, 0))))
        })
        .await?;
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId/associatedServices", method = "get", operation_id = "getGitTokenAssociatedServices", tag = Tag::OrganizationMainCalls)]
    async fn get_git_token_associated_services(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<Found<Results<AssociatedService>>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, git_token_id.0).await?;
        let jobs = store::job_usage::jobs_using(&self.0.db, SharedResource::GitToken(row.id)).await?;
        Ok(Answer(Results { results: AssociatedService::list(&auth.0, jobs) }))
    }
}

impl GitTokenApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::git_token(&self.0.db, &auth.0, action, OrganizationId(organization), GitTokenId(id)).await
    }

    async fn answer(&self, row: Model) -> Result<Found<GitTokenResponse>> {
        let counts = store::git_token::count_jobs(&self.0.db, row.organization_id).await?;
        let count = counts.get(&row.id).copied().unwrap_or(0);
        Ok(Answer(answer(row, count)))
    }

    /// Checks a request and writes it into a row; an empty token keeps the stored one.
    fn apply(&self, given: GitTokenRequest, row: Model) -> Result<Model> {
        let GitTokenRequest { name, description, provider, token, workspace, git_api_url } = given;
        let provider = GitProvider::from(provider);
        let workspace = workspace.filter(|text| !text.is_empty());
        if provider == GitProvider::Bitbucket && workspace.is_none() {
            return Err(Error::invalid("workspace", "is needed for BITBUCKET"));
        }
        let sealed = match (token.is_empty(), &row.token) {
            (true, Some(sealed)) => sealed.clone(),
            (true, None) => return Err(Error::invalid("token", "is empty")),
            (false, _) => {
                let token = limits::text("token", token)?;
                self.0.keys.seal(&secret::place("git_token", row.id.0), token.as_bytes())?
            }
        };
        let api_url = match git_api_url.filter(|url| !url.is_empty()) {
            Some(url) => limits::web_address("git_api_url", &url)?,
            None => default_api(provider).to_owned(),
        };
        Ok(Model {
            name: limits::name("name", &name)?,
            description: limits::text("description", description.unwrap_or(row.description))?,
            provider,
            workspace: workspace.map(|text| limits::name("workspace", &text)).transpose()?,
            api_url,
            token: Some(sealed),
            ..row
        })
    }
}
