//! Pure: whether the deployed configuration of a job is out of date.

use entity::job;
use entity::job_spec::JobSpec;

/// The part of a configuration that a deployment makes effective: without what only describes the job.
#[must_use]
pub fn effective(spec: &JobSpec) -> JobSpec {
    JobSpec {
        description: String::new(),
        icon_uri: String::new(),
        auto_preview: false,
        auto_deploy: false,
        ..spec.clone()
    }
}

/// Whether two configurations behave the same; descriptive fields are ignored.
#[must_use]
pub fn runs_alike(one: &JobSpec, other: &JobSpec) -> bool {
    effective(one) == effective(other)
}

/// Whether the configuration or the variables of a job differ from the deployed ones, or its CronJob was changed manually in
/// the cluster.
#[must_use]
pub fn is_outdated(job: &job::Model) -> bool {
    let same = job.deployed.as_ref().is_some_and(|deployed| runs_alike(deployed, &job.spec));
    !same || job.variables_changed_at > job.deployed_at || job.drifted_at.is_some()
}
