//! The job of a run, with its environment and its cluster.

use entity::{cluster, environment, job};

/// The job of a run, with its environment and its cluster.
#[derive(Clone, Copy)]
pub(super) struct JobSubject<'a> {
    pub(super) job: &'a job::Model,
    pub(super) environment: &'a environment::Model,
    pub(super) cluster: &'a cluster::Model,
}
