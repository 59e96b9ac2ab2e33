//! Pure: whether the deployed configuration of a job is out of date.

use entity::job;
use entity::job_spec::JobSpec;

/// Whether two configurations run the same; descriptive fields do not count.
#[must_use]
pub fn runs_alike(one: &JobSpec, other: &JobSpec) -> bool {
    let bare = |spec: &JobSpec| JobSpec {
        description: String::new(),
        icon_uri: String::new(),
        auto_preview: false,
        auto_deploy: false,
        ..spec.clone()
    };
    bare(one) == bare(other)
}

/// Whether the configuration or the variables of a job differ from what is deployed, or somebody else has changed what is
/// deployed.
#[must_use]
pub fn is_outdated(job: &job::Model) -> bool {
    let same = job.deployed.as_ref().is_some_and(|deployed| runs_alike(deployed, &job.spec));
    !same || job.variables_changed_at > job.deployed_at || job.drifted_at.is_some()
}
