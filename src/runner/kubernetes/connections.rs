//! The clusters that this server is connected to.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use entity::id::ClusterId;

use super::disconnected::Disconnected;
use super::health::Health;
use super::kubernetes_runner::KubernetesRunner;
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::Runner;

/// A cluster to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTarget {
    pub id: ClusterId,
    /// A kubeconfig or `in-cluster`, or why there is none.
    pub kubeconfig: Result<String, String>,
}

struct Connection {
    wanted: ClusterTarget,
    runner: Result<Arc<KubernetesRunner>, String>,
}

/// The connections to all clusters; clones share them.
#[derive(Clone, Default)]
pub struct Clusters(Arc<RwLock<HashMap<ClusterId, Connection>>>);

impl Clusters {
    /// Connects to clusters that are new or whose kubeconfig has changed, and drops those that are no longer wanted.
    pub async fn set(&self, wanted: Vec<ClusterTarget>, patience: Duration, clock: &Clock, wake: &Wake) {
        let known: Vec<ClusterTarget> = self.read(|all| all.values().map(|one| one.wanted.clone()).collect());
        for new in wanted.iter().filter(|new| !known.contains(new)) {
            let runner = match &new.kubeconfig {
                Ok(text) => KubernetesRunner::connect(new.id, text, patience, clock.clone(), wake.clone()).await,
                Err(reason) => Err(reason.clone()),
            };
            let connected = Connection { wanted: new.clone(), runner: runner.map(Arc::new) };
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(new.id, connected);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, _| wanted.iter().any(|one| one.id == *id));
    }

    fn read<T>(&self, read: impl FnOnce(&HashMap<ClusterId, Connection>) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there are no clusters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(HashMap::is_empty)
    }

    /// The clusters that are connected.
    #[must_use]
    pub fn all(&self) -> Vec<(ClusterId, Arc<KubernetesRunner>)> {
        self.read(|all| all.iter().filter_map(|(id, one)| Some((*id, one.runner.as_ref().ok()?.clone()))).collect())
    }

    /// The health of a cluster.
    #[must_use]
    pub fn health(&self, id: ClusterId) -> Health {
        self.read(|all| match all.get(&id).map(|one| &one.runner) {
            Some(Ok(runner)) => runner.health(),
            Some(Err(reason)) => Health::Refused(reason.clone()),
            None => Health::Connecting,
        })
    }

    /// The runner of a cluster. Without a connection, all of its calls fail with the reason.
    #[must_use]
    pub fn get(&self, id: ClusterId) -> Arc<dyn Runner> {
        self.read(|all| match all.get(&id).map(|one| &one.runner) {
            Some(Ok(runner)) => runner.clone() as Arc<dyn Runner>,
            Some(Err(reason)) => Arc::new(Disconnected { id, reason: reason.clone() }),
            None => Arc::new(Disconnected { id, reason: "the server is connecting to the cluster".into() }),
        })
    }
}
