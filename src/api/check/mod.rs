//! Checks the image or Dockerfile for a job. Build usage reports are part of the API, but this server does not create
//! any.

mod dockerfile;

use std::sync::Arc;

use entity::id::{EnvironmentId, RegistryId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::dockerfile::{Dockerfile, join};
use super::caller::Auth;
use super::job::ApplicationGitRepositoryRequest;
use super::tag::Tag;
use super::wire::{Body, Created, Json, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::definition::check_git_token;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::{git, registry_client, store};

#[derive(Debug, Deserialize, Object)]
struct ContainerImageCheckRequest {
    #[serde(default)]
    #[oai(default)]
    registry_id: Option<Uuid>,
    image_name: String,
    tag: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerImageCheckResponse {}

#[derive(Debug, Deserialize, Object)]
struct DockerfileCheckRequest {
    git_repository: ApplicationGitRepositoryRequest,
    dockerfile_path: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DockerfileCheckResponse {
    dockerfile_path: String,
    arg: Vec<String>,
    repositories: Vec<String>,
}

#[derive(Debug, Deserialize, Object)]
struct DeploymentBuildUsageReportRequest {
    #[serde(rename = "execution_id")]
    #[oai(rename = "execution_id")]
    _execution_id: String,
    #[serde(rename = "report_expiration_in_seconds")]
    #[oai(rename = "report_expiration_in_seconds")]
    _report_expiration_in_seconds: i64,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DeploymentBuildUsageReportResponse {
    report_url: String,
    delete_report_url: String,
}

pub(super) struct CheckApi(pub(super) Arc<App>);

#[OpenApi]
impl CheckApi {
    #[oai(path = "/environment/:environmentId/checkContainerImage", method = "post", operation_id = "checkContainerImage", tag = Tag::Environment)]
    async fn check_container_image(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<ContainerImageCheckRequest>,
    ) -> Result<Success<ContainerImageCheckResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let ContainerImageCheckRequest { registry_id, image_name, tag } = body.0;
        let image = limits::pinned_image("image_name", &image_name)?;
        let tag = limits::image_tag("tag", &tag)?;
        let (image, tag) = image.split_once('@').unwrap_or((&image, &tag));
        let id = registry_id.ok_or_else(|| Error::invalid("registry_id", "is required"))?;
        let registry = store::registry::by_id(&self.0.db, RegistryId(id)).await?;
        let registry = registry.filter(|row| row.organization_id == environment.organization_id);
        let registry =
            registry.ok_or_else(|| Error::invalid("registry_id", "is not a registry of this organization"))?;
        let login = registry_client::login(&self.0.keys, &registry, environment.organization_id)?
            .map_err(|refused| Error::invalid("registry_id", refused.to_string()))?;
        registry_client::check(&registry.url, login.as_ref(), image, tag)
            .await
            .map_err(|reason| Error::invalid("image_name", reason))?;
        Ok(Json(ContainerImageCheckResponse {}))
    }

    #[oai(path = "/environment/:environmentId/checkDockerfile", method = "post", operation_id = "checkDockerfile", tag = Tag::Environment)]
    async fn check_dockerfile(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: Body<DockerfileCheckRequest>,
    ) -> Result<Success<DockerfileCheckResponse>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let DockerfileCheckRequest { git_repository, dockerfile_path } = body.0;
        let repository = git_repository.check("git_repository")?;
        let path = join(&repository.root_path, &limits::name("dockerfile_path", &dockerfile_path)?)?;
        check_git_token(&self.0.db, environment.organization_id, &repository, "git_repository").await?;
        let login = git::login::of_repository(&self.0, environment.organization_id, &repository)
            .await?
            .map_err(|refused| Error::invalid("git_repository.git_token_id", refused.to_string()))?;
        let text = crate::git::file(&repository.url, repository.branch.as_deref(), &path, login.as_ref())
            .await
            .map_err(|reason| Error::invalid("git_repository", reason))?;
        let dockerfile = Dockerfile::parse(&text);
        if dockerfile.repositories.is_empty() {
            return Err(Error::invalid("dockerfile_path", "is not a Dockerfile: no FROM instruction"));
        }
        let Dockerfile { arg, repositories } = dockerfile;
        Ok(Json(DockerfileCheckResponse { dockerfile_path, arg, repositories }))
    }

    #[oai(path = "/environment/:environmentId/deploymentBuildUsageReport", method = "post", operation_id = "generateDeploymentBuildUsageReport", tag = Tag::EnvironmentDeploymentHistory)]
    async fn generate_deployment_build_usage_report(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        _body: Body<DeploymentBuildUsageReportRequest>,
    ) -> Result<Created<DeploymentBuildUsageReportResponse>> {
        let id = EnvironmentId(environment_id.0);
        access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        Err(Error::invalid("execution_id", "has no build usage report: this server does not create any"))
    }
}
