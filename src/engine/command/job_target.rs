//! The target of a request: a job and its options.

use entity::job;
use entity::run::Event;

use crate::engine::deploy_version::{CheckedVersion, NewTag};

/// The target of a request: a job and its options.
#[derive(Clone, Debug)]
pub struct JobTarget {
    pub job: job::Model,
    /// Only run the command of this event; deploy nothing.
    pub forced: Option<Event>,
    /// The tag to deploy, which replaces the configured one.
    pub tag: Option<NewTag>,
    /// The commit to build; by default the deployed one, or the newest if there is none.
    pub commit: Option<String>,
}

impl From<job::Model> for JobTarget {
    fn from(job: job::Model) -> Self {
        Self { job, forced: None, tag: None, commit: None }
    }
}

impl JobTarget {
    /// A job in a version.
    #[must_use]
    pub fn in_version(job: job::Model, version: CheckedVersion) -> Self {
        let CheckedVersion { tag, commit } = version;
        Self { tag, commit, ..Self::from(job) }
    }
}
