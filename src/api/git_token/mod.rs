//! Git tokens of an organization.

mod request;
mod response;

use std::sync::Arc;

use entity::git_token::Model;
use entity::id::{GitTokenId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::request::GitTokenRequest;
use self::response::GitTokenResponse;
use super::caller::Auth;
use super::registry::AssociatedService;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::settings::git_token_settings;
use crate::error::Result;
use crate::store;
use crate::store::job_usage::SharedResource;

pub(super) struct GitTokenApi(pub(super) Arc<App>);

#[OpenApi]
impl GitTokenApi {
    #[oai(path = "/organization/:organizationId/gitToken", method = "get", operation_id = "listOrganizationGitTokens", tag = Tag::OrganizationMainCalls)]
    async fn list_organization_git_tokens(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<GitTokenResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::git_token::count_jobs(&self.0.db, id).await?;
        let rows = store::git_token::list(&self.0.db, id).await?;
        let response = |row: Model| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            GitTokenResponse::new(row, count)
        };
        Ok(Json(Results { results: rows.into_iter().map(response).collect() }))
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
        let row = git_token_settings::create(&self.0, &auth.requester(), id, body.0.into()).await?;
        Ok(Json(GitTokenResponse::new(row, 0)))
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "get", operation_id = "getOrganizationGitToken", tag = Tag::OrganizationMainCalls)]
    async fn get_organization_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<Success<GitTokenResponse>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, git_token_id.0).await?;
        self.response(row).await
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "put", operation_id = "editGitToken", tag = Tag::OrganizationMainCalls)]
    async fn edit_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
        body: Body<GitTokenRequest>,
    ) -> Result<Success<GitTokenResponse>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, git_token_id.0).await?;
        let row = git_token_settings::edit(&self.0, &auth.requester(), row, body.0.into()).await?;
        self.response(row).await
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId", method = "delete", operation_id = "deleteGitToken", tag = Tag::OrganizationMainCalls)]
    async fn delete_git_token(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, git_token_id.0).await?;
        git_token_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/gitToken/:gitTokenId/associatedServices", method = "get", operation_id = "getGitTokenAssociatedServices", tag = Tag::OrganizationMainCalls)]
    async fn get_git_token_associated_services(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "gitTokenId")] git_token_id: Path<Uuid>,
    ) -> Result<Success<Results<AssociatedService>>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, git_token_id.0).await?;
        let jobs = store::job_usage::jobs_using(&self.0.db, SharedResource::GitToken(row.id)).await?;
        Ok(Json(Results { results: AssociatedService::list(&auth.0, jobs) }))
    }
}

impl GitTokenApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::git_token(&self.0.db, &auth.0, action, OrganizationId(organization), GitTokenId(id)).await
    }

    async fn response(&self, row: Model) -> Result<Success<GitTokenResponse>> {
        let counts = store::git_token::count_jobs(&self.0.db, row.organization_id).await?;
        let count = counts.get(&row.id).copied().unwrap_or(0);
        Ok(Json(GitTokenResponse::new(row, count)))
    }
}
