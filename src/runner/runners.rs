//! The runners of this server.

use std::sync::Arc;

use super::agent::Agents;
use super::interface::{Runner, Target};
use super::kubernetes::connections::Clusters;

/// The runners of this server.
#[derive(Clone)]
pub struct Runners {
    pub docker: Arc<dyn Runner>,
    pub process: Arc<dyn Runner>,
    pub clusters: Clusters,
    pub agents: Agents,
    /// The target of new runs on the local cluster, or why there is none.
    pub local: Result<Target, String>,
    /// Whether workspace steps may run as plain processes.
    pub processes: bool,
}

impl Runners {
    /// Whether new runs on the local cluster are plain processes.
    #[must_use]
    pub fn local_is_process(&self) -> bool {
        self.local == Ok(Target::Process)
    }

    /// Whether new runs on the local cluster are containers.
    #[must_use]
    pub fn local_is_docker(&self) -> bool {
        self.local == Ok(Target::Docker)
    }

    /// The runner of a target.
    #[must_use]
    pub fn get(&self, kind: Target) -> Arc<dyn Runner> {
        match kind {
            Target::Docker => self.docker.clone(),
            Target::Process => self.process.clone(),
            Target::Kubernetes(id) => self.clusters.get(id),
            Target::Agent(id) => self.agents.get(id),
        }
    }
}
