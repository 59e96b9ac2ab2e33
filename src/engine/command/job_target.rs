//! The target of a request: a job and its options.

use entity::job;
use entity::run::Event;

use crate::store::job::JobEdit;

/// The target of a request: a job and its options.
#[derive(Clone, Debug)]
pub struct JobTarget {
    pub job: job::Model,
    /// Only run the command of this event; deploy nothing.
    pub forced: Option<Event>,
    /// The version to deploy, if it differs from the configured one, which it replaces.
    pub edit: Option<JobEdit>,
    /// The commit to build; by default the deployed one, or the newest if there is none.
    pub commit: Option<String>,
}

impl From<job::Model> for JobTarget {
    fn from(job: job::Model) -> Self {
        Self { job, forced: None, edit: None, commit: None }
    }
}
