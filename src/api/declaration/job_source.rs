//! The image of a declared job: one of a registry, or built from a Dockerfile.

use entity::job_spec::{GitProvider, GitRepository, Source};

use super::declared::{DeclaredGit, DeclaredJob};
use super::names::Names;
use super::renamed::renamed;
use crate::api::job::GitProviderEnum;
use crate::engine::definition::{GivenImage, check_image_source};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// The source of a job; `at` is where the job is in the declaration.
pub(super) fn source(job: &DeclaredJob, names: &Names, at: &str) -> Result<Source> {
    let DeclaredJob { image, registry, git, dockerfile, dockerfile_content, build_stage, .. } = job;
    let is_built = git.is_some() || dockerfile.is_some() || dockerfile_content.is_some() || build_stage.is_some();
    match image {
        Some(_) if is_built => {
            let text = "cannot be given together with git, dockerfile, dockerfile_content or build_stage";
            Err(Error::invalid(format!("{at}.image"), text))
        }
        Some(image) => {
            let id = names.registry(&format!("{at}.registry"), registry.as_deref())?;
            let (name, tag) = image_parts(image);
            let tag = tag.map(str::to_owned);
            let given = GivenImage { image_name: Some(name), tag, registry_id: Some(id.to_string()) };
            check_image_source(given).map_err(|error| {
                renamed(error, |field| match field {
                    "source.image.tag" => format!("{at}.image: the tag (NAME:TAG)"),
                    _ => format!("{at}.image"),
                })
            })
        }
        None if registry.is_some() => Err(Error::invalid(format!("{at}.registry"), "is given without an image")),
        None if is_built => built(job, names, at),
        None => Ok(Source::none()),
    }
}

/// The name and the tag of an image that is written as NAME:TAG, NAME@DIGEST or NAME:TAG@DIGEST.
fn image_parts(image: &str) -> (String, Option<&str>) {
    let (before, digest) = image.split_once('@').map_or((image, None), |(before, digest)| (before, Some(digest)));
    let (name, tag) = match before.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (before, None),
    };
    let name = digest.map_or_else(|| name.to_owned(), |digest| format!("{name}@{digest}"));
    (name, tag)
}

/// An image as it is written in a declaration.
fn image_text(name: &str, tag: &str) -> String {
    match name.split_once('@') {
        Some((_, digest)) if digest == tag => name.to_owned(),
        Some((name, digest)) => format!("{name}:{tag}@{digest}"),
        None => format!("{name}:{tag}"),
    }
}

fn built(job: &DeclaredJob, names: &Names, at: &str) -> Result<Source> {
    if job.git.is_none() && job.dockerfile_content.is_none() {
        let text = "must have git or dockerfile_content, because its image is built";
        return Err(Error::invalid(at, text));
    }
    let mut faults = Faults::default();
    let git_repository = faults.note(job.git.as_ref().map(|given| repository(given, names, at)).transpose());
    let mut text = |key: &str, value: &Option<String>| {
        faults.note(value.clone().map(|value| limits::text(&format!("{at}.{key}"), value)).transpose())
    };
    let source = Source::Docker {
        git_repository,
        dockerfile_path: text("dockerfile", &job.dockerfile),
        dockerfile_raw: text("dockerfile_content", &job.dockerfile_content),
        docker_target_build_stage: text("build_stage", &job.build_stage),
    };
    faults.result().map(|()| source)
}

fn repository(given: &DeclaredGit, names: &Names, at: &str) -> Result<GitRepository> {
    let field = format!("{at}.git");
    let DeclaredGit { url, branch, root_path, token, provider } = given;
    let token = token.as_deref().map(|name| names.token(&format!("{field}.token"), name)).transpose()?;
    let provider = provider.map_or_else(|| provider_of(url), GitProvider::from);
    let request = crate::api::job::ApplicationGitRepositoryRequest::new(
        url.clone(),
        (branch.clone(), root_path.clone()),
        token.map(|id| id.0),
        provider.into(),
    );
    request.check(&field)
}

/// The host that an address names, or else the one that most repositories are on.
fn provider_of(url: &str) -> GitProvider {
    let has = |name: &str| url.split('/').nth(2).is_some_and(|host| host.contains(name));
    match () {
        () if has("gitlab") => GitProvider::Gitlab,
        () if has("bitbucket") => GitProvider::Bitbucket,
        () => GitProvider::Github,
    }
}

/// Writes the source of a stored job into its declaration.
pub(super) fn declare(source: &Source, names: &Names, job: &mut DeclaredJob) {
    match source {
        Source::Image { image_name, tag, registry_id } => {
            job.image = Some(image_text(image_name, tag));
            job.registry = names.of_registry(*registry_id);
        }
        source if source.is_none() => {}
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            job.git = git_repository.as_ref().map(|git| DeclaredGit {
                url: git.url.clone(),
                branch: git.branch.clone(),
                root_path: Some(git.root_path.clone()).filter(|path| path != "/"),
                token: git.git_token_id.and_then(|id| names.of_token(id)),
                provider: Some(GitProviderEnum::from(git.provider)).filter(|_| provider_of(&git.url) != git.provider),
            });
            job.dockerfile.clone_from(dockerfile_path);
            job.dockerfile_content.clone_from(dockerfile_raw);
            job.build_stage.clone_from(docker_target_build_stage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{image_parts, image_text};

    #[test]
    fn images_are_read_as_they_are_written() {
        for (text, name, tag) in [
            ("acme/backup:1.2", "acme/backup", Some("1.2")),
            ("acme/backup", "acme/backup", None),
            ("host:5000/acme", "host:5000/acme", None),
            ("acme/backup:1.2@sha256:00", "acme/backup@sha256:00", Some("1.2")),
            ("acme/backup@sha256:00", "acme/backup@sha256:00", None),
        ] {
            assert_eq!(image_parts(text), (name.to_owned(), tag), "{text}");
        }
        assert_eq!(image_text("a/b", "1"), "a/b:1");
        assert_eq!(image_text("a/b@sha256:00", "sha256:00"), "a/b@sha256:00");
        assert_eq!(image_text("a/b@sha256:00", "1"), "a/b:1@sha256:00");
    }
}
