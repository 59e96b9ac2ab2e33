//! Pure: what an export is made of.

use entity::{
    cluster, deployment_restriction, environment, job, metadata_group, project, registry, stage, stage_job, variable,
};

/// The rows of an environment.
#[derive(Clone, Debug)]
pub struct Exported {
    pub project: project::Model,
    pub environment: environment::Model,
    pub cluster: cluster::Model,
    /// In order.
    pub stages: Vec<stage::Model>,
    pub jobs: Vec<ExportedJob>,
    /// Jobs that run elsewhere, which the provider has no resource for.
    pub checks: Vec<job::Model>,
    /// Those of the project, the environment and its jobs.
    pub variables: Vec<variable::Model>,
    /// Those that the jobs use, at least.
    pub registries: Vec<registry::Model>,
    pub groups: Vec<metadata_group::Model>,
}

/// A job with the rows that belong to it.
#[derive(Clone, Debug)]
pub struct ExportedJob {
    pub job: job::Model,
    pub place: Option<stage_job::Model>,
    pub restrictions: Vec<deployment_restriction::Model>,
}
