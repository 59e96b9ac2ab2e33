//! What every runner can do.

use std::time::Duration;

use async_trait::async_trait;
use entity::id::ClusterId;

use super::line::Lines;
use super::output_file::OUTPUT_BYTES;
use super::step_spec::StepSpec;
use super::step_state::{StepState, StepTimes};

/// Which runner it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Docker,
    Process,
    /// A cluster, by its id.
    Kubernetes(ClusterId),
}

/// The runner does not answer now; asking again later may help.
#[derive(Clone, Debug)]
pub struct Unavailable(pub String);

/// A place where steps run. No call waits for a step to end.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Which one it is.
    fn target(&self) -> Target;

    /// Names the engine: only servers with the same one find the same steps.
    async fn place(&self) -> Result<String, Unavailable>;

    /// Begins to start a step; does nothing when one of that name was started before.
    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable>;

    /// How far a step has come.
    async fn poll(&self, name: &str) -> Result<StepState, Unavailable>;

    /// When a step began and ended.
    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable>;

    /// Begins to end a step and everything it started: politely, and by force after `grace`.
    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable>;

    /// Up to `limit` lines behind the first `skip`, without waiting for more.
    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable>;

    /// What a step that has ended left in a file of its folder for outputs; none where it left no such file. Of one that
    /// is larger than `most` bytes one byte more is read.
    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, Unavailable>;

    /// The largest file of outputs that it can hand over, in bytes.
    fn most_output(&self) -> u64 {
        OUTPUT_BYTES
    }

    /// Forgets a step that has ended, or ends it.
    async fn remove(&self, name: &str) -> Result<(), Unavailable>;

    /// Names of the steps that are there.
    async fn list(&self) -> Result<Vec<String>, Unavailable>;

    /// Ends what cannot outlive this server.
    async fn close(&self);
}
