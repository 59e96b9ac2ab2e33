//! Pure: an environment as somebody declares it. Names of registries and other things of the organization are resolved already.

use super::step::{CheckState, JobState};

/// An environment.
pub struct WantedEnvironment {
    /// In their order; None leaves the stages as they are.
    pub stages: Option<Vec<WantedStage>>,
    /// Those of its project, which all of its environments see.
    pub project_variables: WantedVariables,
    pub variables: WantedVariables,
    pub jobs: Vec<WantedJob>,
    pub checks: Vec<CheckState>,
    /// Jobs and checks with this label that are not declared are deleted.
    pub prune: Option<Label>,
}

/// A label of jobs.
pub struct Label {
    pub key: String,
    pub value: String,
}

/// A stage.
pub struct WantedStage {
    pub name: String,
    pub description: String,
}

/// A job. Its stage is empty if it is in the stage of new jobs.
pub struct WantedJob {
    pub state: JobState,
    pub variables: WantedVariables,
}

/// The variables and secrets of a project, an environment or a job.
#[derive(Default)]
pub struct WantedVariables {
    pub all: Vec<WantedVariable>,
    /// Whether variables that are not among them are deleted; otherwise they stay.
    pub are_all_variables: bool,
    /// The same for secrets.
    pub are_all_secrets: bool,
}

/// A variable or a secret. No `Debug`: the value may be a secret.
pub struct WantedVariable {
    pub key: String,
    pub value: WantedValue,
    pub description: Option<String>,
    pub interpolated: Option<bool>,
}

/// What a variable is. No `Debug`: the value may be a secret.
pub enum WantedValue {
    Text {
        /// None keeps the stored value.
        value: Option<String>,
        /// A variable with a path is mounted as a file.
        path: Option<String>,
        is_secret: bool,
    },
    /// Another name for this variable.
    Alias(String),
}
