//! The target of a request: a job and its options.

use entity::job;
use entity::run::Event;

/// The target of a request: a job and its options.
#[derive(Clone, Debug)]
pub struct JobTarget {
    pub job: job::Model,
    /// Only run the command of this event; deploy nothing.
    pub forced: Option<Event>,
    /// The tag of its image to deploy, if it differs from the configured one, which it replaces.
    pub image_tag: Option<String>,
    /// The commit to build; by default the deployed one, or the newest if there is none.
    pub commit: Option<String>,
}

impl From<job::Model> for JobTarget {
    fn from(job: job::Model) -> Self {
        Self { job, forced: None, image_tag: None, commit: None }
    }
}
