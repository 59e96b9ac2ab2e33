//! A job with its environment and its cluster: what a run of it belongs to.

use entity::{cluster, environment, job};

/// What a run belongs to.
#[derive(Clone, Copy)]
pub(super) struct JobSubject<'a> {
    pub(super) job: &'a job::Model,
    pub(super) environment: &'a environment::Model,
    pub(super) cluster: &'a cluster::Model,
}
