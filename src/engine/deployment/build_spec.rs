//! Pure: the specification of a build run.

use entity::job;
use entity::job_spec::{GitRepository, JobSpec, Source};
use entity::run_spec::{BuildSpec, RunSpec};

use super::run_spec::base;
use crate::engine::advanced_settings::Settings;

/// The specification of a build of the requested commit. By default the deployed commit is built, or the newest one if the job
/// follows its branch or its repository has changed.
#[must_use]
pub fn build_spec(spec: &JobSpec, job: &job::Model, commit_id: Option<String>) -> RunSpec {
    let settings = Settings(&spec.settings);
    let build = match &spec.source {
        source if source.is_none() => None,
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            let deployed = job.built.as_ref().and_then(|built| built.commit.as_ref()).map(|commit| commit.id.clone());
            let pinned = deployed.filter(|_| !spec.auto_deploy && follows_same(job, git_repository.as_ref()));
            Some(BuildSpec {
                git_repository: git_repository.clone(),
                commit_id: commit_id.or(pinned),
                dockerfile_path: dockerfile_path.clone(),
                dockerfile_raw: dockerfile_raw.clone(),
                target_stage: docker_target_build_stage.clone(),
                submodules: !settings.is_on("build.skip_git_submodules"),
                cache: !settings.is_on("build.disable_buildkit_cache"),
            })
        }
        Source::Image { .. } => None,
    };
    RunSpec { build, max_duration_seconds: settings.number("build.timeout_max_sec").unwrap_or(0), ..base(spec) }
}

fn follows_same(job: &job::Model, repository: Option<&GitRepository>) -> bool {
    let deployed = match job.deployed.as_ref().map(|spec| &spec.source) {
        Some(Source::Docker { git_repository, .. }) => git_repository.as_ref(),
        _ => None,
    };
    let same = |one: &GitRepository, other: &GitRepository| one.url == other.url && one.branch == other.branch;
    deployed.zip(repository).is_some_and(|(one, other)| same(one, other))
}
