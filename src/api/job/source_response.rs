//! The source of a job in responses.

use entity::job_spec::{GitProvider, GitRepository, Source};
use entity::run_spec::Commit;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::source_request::GitProviderEnum;
use crate::api::registry::ContainerRegistryKindEnum;
use crate::api::wire::{self, Timestamp};
use crate::store::job::RegistryView;

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerRegistryProviderDetailsResponse {
    id: Uuid,
    name: String,
    url: String,
    kind: ContainerRegistryKindEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerSource {
    image_name: String,
    tag: String,
    registry_id: String,
    registry: ContainerRegistryProviderDetailsResponse,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ApplicationGitRepository {
    has_access: bool,
    provider: GitProviderEnum,
    owner: String,
    url: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    branch: Option<String>,
    root_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_contributor: Option<String>,
    git_token_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobSourceDockerResponse {
    git_repository: ApplicationGitRepository,
    dockerfile_path: Option<String>,
    dockerfile_raw: Option<String>,
    docker_target_build_stage: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ImageSource {
    image: ContainerSource,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DockerSource {
    docker: JobSourceDockerResponse,
}

/// Only the key in use: clients reject the other one, even as null.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum JobSource {
    Image(Box<ImageSource>),
    Docker(Box<DockerSource>),
}

wire::described!(
    JobSource,
    poem_openapi::registry::MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema {
        one_of: vec![
            <ImageSource as poem_openapi::types::Type>::schema_ref(),
            <DockerSource as poem_openapi::types::Type>::schema_ref(),
        ],
        ..poem_openapi::registry::MetaSchema::ANY
    })),
    |registry| {
        <ImageSource as poem_openapi::types::Type>::register(registry);
        <DockerSource as poem_openapi::types::Type>::register(registry);
    }
);

pub(super) fn source_response(source: Source, registry: Option<RegistryView>, commit: Option<Commit>) -> JobSource {
    match source {
        Source::Image { image_name, tag, registry_id } => {
            let (name, url, kind) = match registry {
                Some(RegistryView { id: _, name, url, kind }) => (name, url, kind.into()),
                None => (String::new(), String::new(), ContainerRegistryKindEnum::GenericCr),
            };
            let registry = ContainerRegistryProviderDetailsResponse { id: registry_id.0, name, url, kind };
            let image = ContainerSource { image_name, tag, registry_id: registry_id.to_string(), registry };
            JobSource::Image(Box::new(ImageSource { image }))
        }
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            let git_repository = git_response(git_repository.unwrap_or_else(no_repository), commit);
            let docker =
                JobSourceDockerResponse { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage };
            JobSource::Docker(Box::new(DockerSource { docker }))
        }
    }
}

/// Official clients read the repository of a build unasked, even if there is only a Dockerfile.
fn no_repository() -> GitRepository {
    GitRepository {
        url: String::new(),
        provider: GitProvider::Github,
        branch: None,
        root_path: "/".to_owned(),
        git_token_id: None,
    }
}

fn git_response(repository: GitRepository, commit: Option<Commit>) -> ApplicationGitRepository {
    let GitRepository { url, provider, branch, root_path, git_token_id } = repository;
    let path = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/').trim_end_matches(".git");
    let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
    ApplicationGitRepository {
        has_access: git_token_id.is_some(),
        provider: provider.into(),
        owner: owner.to_owned(),
        name: name.to_owned(),
        branch,
        root_path,
        deployed_commit_id: commit.as_ref().map(|commit| commit.id.clone()),
        deployed_commit_date: commit.as_ref().map(|commit| Timestamp(commit.at)),
        deployed_commit_contributor: commit.map(|commit| commit.author),
        git_token_id: git_token_id.map(|id| id.to_string()),
        url,
    }
}
