//! Pure: one difference between what is declared and what is stored.

use entity::deployment_restriction::RestrictionMode;
use entity::id::{JobId, StageId};
use entity::job_spec::JobSpec;
use entity::variable;

/// A job as far as it is declared, without its variables.
#[derive(Clone, Debug, PartialEq)]
pub struct JobState {
    pub name: String,
    pub spec: JobSpec,
    pub stage: String,
    /// Whether deployments of the whole environment skip it.
    pub is_skipped: bool,
    /// In order: which paths of its repository begin a deployment, or do not.
    pub restrictions: Vec<(RestrictionMode, String)>,
}

/// A job that runs elsewhere, and reports by pings.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckState {
    pub name: String,
    pub spec: JobSpec,
}

/// What a variable belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableOwner {
    Project,
    Environment,
    Job(JobId, String),
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageState {
    pub name: String,
    pub description: String,
    /// Counts from 0.
    pub position: i32,
}

/// A difference. Without `before` something is created; without `after` it is deleted. No `Debug`: a variable may be a secret.
#[derive(Clone)]
pub enum Step {
    Stage {
        id: StageId,
        before: Option<StageState>,
        after: Option<StageState>,
    },
    Job {
        id: JobId,
        before: Option<Box<JobState>>,
        after: Option<Box<JobState>>,
    },
    Check {
        id: JobId,
        before: Option<Box<CheckState>>,
        after: Option<Box<CheckState>>,
    },
    /// A variable keeps its id whatever becomes of it, because aliases and overrides refer to it.
    Variable {
        owner: VariableOwner,
        before: Option<Box<variable::Model>>,
        after: Option<Box<variable::Model>>,
        /// Whether the value differs.
        value_changes: bool,
    },
}
