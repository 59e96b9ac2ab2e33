//! Turns a run of a job into a step: its image, its variables, and, on Kubernetes, its pod.

mod pod;
pub(in crate::engine) mod step;
mod subject;
pub(super) mod variable_snapshot;
