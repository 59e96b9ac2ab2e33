//! The source of a job in requests: an image, or a build from a Dockerfile.

use entity::id::GitTokenId;
use entity::job_spec::{GitProvider, GitRepository, Source};
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Deserialize;
use uuid::Uuid;

use crate::api::wire;
use crate::engine::definition::{GivenImage, check_image_source};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

wire::mirrored!(GitProviderEnum of GitProvider { Bitbucket, Github, Gitlab });

#[derive(Clone, Debug, Deserialize, Object)]
struct ImageRequest {
    image_name: Option<String>,
    tag: Option<String>,
    registry_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Object)]
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

#[derive(Clone, Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct DockerRequest {
    git_repository: Option<ApplicationGitRepositoryRequest>,
    dockerfile_path: Option<String>,
    dockerfile_raw: MaybeUndefined<String>,
    docker_target_build_stage: MaybeUndefined<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct SourceRequest {
    image: Option<ImageRequest>,
    docker: Option<DockerRequest>,
}

pub(super) fn check_source(given: SourceRequest, stored: Option<&Source>) -> Result<Source> {
    let SourceRequest { image, docker } = given;
    match (image, docker) {
        (Some(_), Some(_)) => Err(Error::invalid("source", "must have either an image or docker, not both")),
        (None, None) => Err(Error::invalid("source", "must have an image or docker")),
        (Some(ImageRequest { image_name, tag, registry_id }), None) => {
            check_image_source(GivenImage { image_name, tag, registry_id })
        }
        (None, Some(docker)) => check_docker(docker, stored),
    }
}

fn check_docker(given: DockerRequest, stored: Option<&Source>) -> Result<Source> {
    const FIELD: &str = "source.docker";
    let DockerRequest { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } = given;
    // Responses always have a repository, because clients read it unasked; without a URL there is none.
    let git_repository = git_repository.filter(|repository| !repository.url.is_empty());
    let url = git_repository.as_ref().map(|repository| repository.url.as_str());
    let (old_raw, old_stage) =
        stored.and_then(|stored| of_same(stored, url, dockerfile_path.as_deref())).unwrap_or_default();
    let kept = |given: MaybeUndefined<String>, old: Option<String>| match given {
        MaybeUndefined::Value(given) => Some(given),
        MaybeUndefined::Null => None,
        MaybeUndefined::Undefined => old,
    };
    let (dockerfile_raw, docker_target_build_stage) =
        (kept(dockerfile_raw, old_raw), kept(docker_target_build_stage, old_stage));
    if git_repository.is_none() && dockerfile_raw.is_none() {
        // A job without a source is returned in this form.
        if dockerfile_path.is_none() && docker_target_build_stage.is_none() {
            return Ok(Source::none());
        }
        return Err(Error::invalid(FIELD, "must have a git_repository or a dockerfile_raw"));
    }
    let mut faults = Faults::default();
    let git_repository = git_repository.map(|given| given.check(&format!("{FIELD}.git_repository")));
    let git_repository = faults.note(git_repository.transpose());
    let mut text = |key: &str, value: Option<String>| {
        faults.note(value.map(|value| limits::text(&format!("{FIELD}.{key}"), value)).transpose())
    };
    let source = Source::Docker {
        git_repository,
        dockerfile_path: text("dockerfile_path", dockerfile_path),
        dockerfile_raw: text("dockerfile_raw", dockerfile_raw),
        docker_target_build_stage: text("docker_target_build_stage", docker_target_build_stage),
    };
    faults.result().map(|()| source)
}

/// What a client may not know of the stored source, if it sends the same Dockerfile of the same repository again: the content of the
/// Dockerfile and the build stage.
fn of_same(stored: &Source, url: Option<&str>, path: Option<&str>) -> Option<(Option<String>, Option<String>)> {
    let Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } = stored else {
        return None;
    };
    let same =
        git_repository.as_ref().map(|repository| repository.url.as_str()) == url && dockerfile_path.as_deref() == path;
    same.then(|| (dockerfile_raw.clone(), docker_target_build_stage.clone()))
}

impl ApplicationGitRepositoryRequest {
    /// A repository, on a branch and in a folder.
    pub(in crate::api) fn new(
        url: String,
        (branch, root_path): (Option<String>, Option<String>),
        git_token_id: Option<Uuid>,
        provider: GitProviderEnum,
    ) -> Self {
        Self { url, branch, root_path, git_token_id, provider }
    }

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
