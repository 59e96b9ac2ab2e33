//! The clusters that this server is connected to.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use entity::id::ClusterId;

use super::{Health, KubernetesRunner};
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::{Kind, Lines, Runner, StepSpec, StepState, Times, Unavailable};

const PLACE: &str = "kubernetes/";

/// The place of runs in a cluster: the same for all servers.
#[must_use]
pub fn place(id: ClusterId) -> String {
    format!("{PLACE}{id}")
}

/// The cluster that a place is in.
#[must_use]
pub fn cluster_of(place: &str) -> Option<ClusterId> {
    place.strip_prefix(PLACE)?.parse().ok().map(ClusterId)
}

/// How a cluster is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub id: ClusterId,
    /// A kubeconfig, or `in-cluster`; an error says why there is none.
    pub kubeconfig: Result<String, String>,
}

struct Connected {
    wanted: Wanted,
    runner: Result<Arc<KubernetesRunner>, String>,
}

/// All of them; clones are the same.
#[derive(Clone, Default)]
pub struct Clusters(Arc<RwLock<HashMap<ClusterId, Connected>>>);

impl Clusters {
    /// Connects to those that are wanted and not connected as they are wanted, and lets the others go.
    pub async fn set(&self, wanted: Vec<Wanted>, patience: Duration, clock: &Clock, wake: &Wake) {
        let known: Vec<Wanted> = self.read(|all| all.values().map(|one| one.wanted.clone()).collect());
        for new in wanted.iter().filter(|new| !known.contains(new)) {
            let runner = match &new.kubeconfig {
                Ok(text) => KubernetesRunner::connect(new.id, text, patience, clock.clone(), wake.clone()).await,
                Err(reason) => Err(reason.clone()),
            };
            let connected = Connected { wanted: new.clone(), runner: runner.map(Arc::new) };
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(new.id, connected);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, _| wanted.iter().any(|one| one.id == *id));
    }

    fn read<T>(&self, read: impl FnOnce(&HashMap<ClusterId, Connected>) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(HashMap::is_empty)
    }

    /// Those that there is a connection to.
    #[must_use]
    pub fn all(&self) -> Vec<(ClusterId, Arc<KubernetesRunner>)> {
        self.read(|all| all.iter().filter_map(|(id, one)| Some((*id, one.runner.as_ref().ok()?.clone()))).collect())
    }

    /// Whether a cluster can be used.
    #[must_use]
    pub fn health(&self, id: ClusterId) -> Health {
        self.read(|all| match all.get(&id).map(|one| &one.runner) {
            Some(Ok(runner)) => runner.health(),
            Some(Err(reason)) => Health::Refused(reason.clone()),
            None => Health::Connecting,
        })
    }

    /// The runner of a cluster; without a connection one that says why there is none.
    #[must_use]
    pub fn get(&self, id: ClusterId) -> Arc<dyn Runner> {
        self.read(|all| match all.get(&id).map(|one| &one.runner) {
            Some(Ok(runner)) => runner.clone() as Arc<dyn Runner>,
            Some(Err(reason)) => Arc::new(Absent { id, reason: reason.clone() }),
            None => Arc::new(Absent { id, reason: "the cluster is being connected".into() }),
        })
    }
}

/// Stands for a cluster that there is no connection to.
struct Absent {
    id: ClusterId,
    reason: String,
}

impl Absent {
    fn fail<T>(&self) -> Result<T, Unavailable> {
        Err(Unavailable(self.reason.clone()))
    }
}

#[async_trait]
impl Runner for Absent {
    fn kind(&self) -> Kind {
        Kind::Kubernetes(self.id)
    }

    async fn place(&self) -> Result<String, Unavailable> {
        self.fail()
    }

    async fn start(&self, _step: &StepSpec) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn poll(&self, _name: &str) -> Result<StepState, Unavailable> {
        self.fail()
    }

    async fn times(&self, _name: &str) -> Result<Times, Unavailable> {
        self.fail()
    }

    async fn stop(&self, _name: &str, _grace: Duration) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn logs(&self, _name: &str, _skip: u64, _limit: usize) -> Result<Lines, Unavailable> {
        self.fail()
    }

    async fn output(&self, _name: &str, _file: &str, _most: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        self.fail()
    }

    async fn remove(&self, _name: &str) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        self.fail()
    }

    async fn close(&self) {}
}
