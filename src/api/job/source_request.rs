//! The source of a job in requests: an image, or a build from a Dockerfile.

use entity::id::{GitTokenId, RegistryId};
use entity::job_spec::{GitProvider, GitRepository, Source};
use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use crate::api::{limits, wire};
use crate::error::{Error, Result};

wire::mirrored!(GitProviderEnum of GitProvider { Bitbucket, Github, Gitlab });

#[derive(Debug, Deserialize, Object)]
struct ImageRequest {
    image_name: Option<String>,
    tag: Option<String>,
    registry_id: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(in crate::api) struct ApplicationGitRepositoryRequest {
    url: String,
    #[serde(default)]
    #[oai(default)]
    branch: Option<String>,
    #[serde(default)]
    #[oai(default)]
    root_path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    git_token_id: Option<Uuid>,
    provider: GitProviderEnum,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct DockerRequest {
    git_repository: Option<ApplicationGitRepositoryRequest>,
    dockerfile_path: Option<String>,
    dockerfile_raw: Option<String>,
    docker_target_build_stage: Option<String>,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct SourceRequest {
    image: Option<ImageRequest>,
    docker: Option<DockerRequest>,
}

pub(super) fn check_source(given: SourceRequest) -> Result<Source> {
    let SourceRequest { image, docker } = given;
    match (image, docker) {
        (Some(_), Some(_)) => Err(Error::invalid("source", "must have either an image or docker, not both")),
        (None, None) => Err(Error::invalid("source", "must have an image or docker")),
        (Some(image), None) => check_image(image),
        (None, Some(docker)) => check_docker(docker),
    }
}

fn check_image(given: ImageRequest) -> Result<Source> {
    const FIELD: &str = "source.image";
    let ImageRequest { image_name, tag, registry_id } = given;
    let present = |key: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| Error::invalid(format!("{FIELD}.{key}"), "is missing"))
    };
    let image_name = present("image_name", image_name)?;
    let image_name = limits::pinned_image(&format!("{FIELD}.image_name"), &image_name)?;
    let digest = image_name.split_once('@').map(|(_, digest)| digest.to_owned());
    let tag = match tag.filter(|tag| !tag.is_empty()).or_else(|| digest.clone()) {
        Some(tag) => limits::image_tag(&format!("{FIELD}.tag"), &tag)?,
        None => return Err(Error::invalid(format!("{FIELD}.tag"), "is missing")),
    };
    if digest.is_some_and(|digest| tag.starts_with("sha256:") && tag != digest) {
        return Err(Error::invalid(format!("{FIELD}.tag"), "must not differ from the digest in image_name"));
    }
    let registry = present("registry_id", registry_id)?;
    let registry_id =
        registry.parse::<Uuid>().map_err(|_| Error::invalid(format!("{FIELD}.registry_id"), "must be a UUID"))?;
    Ok(Source::Image { image_name, tag, registry_id: RegistryId(registry_id) })
}

fn check_docker(given: DockerRequest) -> Result<Source> {
    const FIELD: &str = "source.docker";
    let DockerRequest { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } = given;
    if git_repository.is_none() && dockerfile_raw.is_none() {
        // A job without a source is returned in this form.
        if dockerfile_path.is_none() && docker_target_build_stage.is_none() {
            return Ok(Source::none());
        }
        return Err(Error::invalid(FIELD, "must have a git_repository or a dockerfile_raw"));
    }
    let text = |key: &str, value: Option<String>| {
        value.map(|value| limits::text(&format!("{FIELD}.{key}"), value)).transpose()
    };
    let git_repository = match git_repository {
        None => None,
        Some(given) => Some(given.check(&format!("{FIELD}.git_repository"))?),
    };
    Ok(Source::Docker {
        git_repository,
        dockerfile_path: text("dockerfile_path", dockerfile_path)?,
        dockerfile_raw: text("dockerfile_raw", dockerfile_raw)?,
        docker_target_build_stage: text("docker_target_build_stage", docker_target_build_stage)?,
    })
}

impl ApplicationGitRepositoryRequest {
    /// Runs the checks that do not need the database.
    pub(in crate::api) fn check(self, field: &str) -> Result<GitRepository> {
        let Self { url, branch, root_path, git_token_id, provider } = self;
        let text = |key: &str, value: Option<String>| {
            value.map(|value| limits::text(&format!("{field}.{key}"), value)).transpose()
        };
        let branch = text("branch", branch)?.filter(|branch| !branch.is_empty());
        if branch.as_ref().is_some_and(|branch| branch.starts_with('-') || branch.chars().any(char::is_control)) {
            return Err(Error::invalid(format!("{field}.branch"), "is not a valid branch name"));
        }
        Ok(GitRepository {
            url: limits::web_address(&format!("{field}.url"), &url)?,
            provider: provider.into(),
            branch,
            root_path: text("root_path", root_path)?.unwrap_or_else(|| "/".into()),
            git_token_id: git_token_id.map(GitTokenId),
        })
    }
}
