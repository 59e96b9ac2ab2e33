//! The interface of all runners.

use std::time::Duration;

use async_trait::async_trait;
use entity::id::ClusterId;

use super::line::Lines;
use super::output_file::OUTPUT_BYTES;
use super::step_spec::StepSpec;
use super::step_state::{StepState, StepTimes};

/// Where a step runs. `entity::run::RunnerKind` is the stored form, without the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Docker,
    Process,
    /// A Kubernetes cluster, by its id.
    Kubernetes(ClusterId),
    /// A cluster of agents, by its id.
    Agent(ClusterId),
}

/// The runner cannot answer at the moment; the call may succeed later.
#[derive(Clone, Debug)]
pub struct Unavailable(pub String);

/// Why an output cannot be read.
#[derive(Clone, Debug)]
pub enum OutputError {
    /// The call may succeed later.
    Unavailable(String),
    /// What is in its place is not a file of the run.
    Refused(String),
}

impl From<Unavailable> for OutputError {
    fn from(Unavailable(reason): Unavailable) -> Self {
        Self::Unavailable(reason)
    }
}

/// Runs steps. No call waits for a step to end. A runner reports starts, ends and new lines to `Wake`; those that it does not report are
/// noticed within a few seconds.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Where this runner runs steps.
    fn target(&self) -> Target;

    /// The name of the engine. Servers that use the same engine see the same steps.
    async fn place(&self) -> Result<String, Unavailable>;

    /// Begins to start a step. Does nothing if a step with that name was started before.
    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable>;

    /// The state of a step.
    async fn poll(&self, name: &str) -> Result<StepState, Unavailable>;

    /// When a step started and ended.
    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable>;

    /// Begins to stop a step and everything it started: first with a signal that it can handle, then by force after `grace`.
    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable>;

    /// Up to `limit` lines after the first `skip`, without waiting for more.
    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable>;

    /// Tells that the first `lines` of a step are stored, and will not be asked for again by this server.
    fn lines_stored(&self, _name: &str, _lines: u64) {}

    /// The content of a file that an ended step wrote to its output folder, if there is one. At most `most` + 1 bytes
    /// are read, so that the caller can tell that the file is too large. Symbolic links are followed inside the run's own files.
    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, OutputError>;

    /// The largest output file that this runner can return, in bytes.
    fn most_output(&self) -> u64 {
        OUTPUT_BYTES
    }

    /// Removes a step; one that still runs is killed.
    async fn remove(&self, name: &str) -> Result<(), Unavailable>;

    /// The names of all steps on this runner.
    async fn list(&self) -> Result<Vec<String>, Unavailable>;

    /// The names of the steps that were started, cannot outlive this server, and have not been removed.
    fn tied_to_server(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends everything that cannot outlive this server.
    async fn close(&self);
}
