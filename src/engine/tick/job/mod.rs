//! Turns a run of a job into a step: its image, its variables, and, on Kubernetes, its pod.

pub(super) mod kept_variables;
mod pod;
pub(in crate::engine) mod step;
mod subject;
