//! The agents of all clusters, as this server saw them last.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use entity::agent;
use entity::id::ClusterId;
use sea_orm::DatabaseConnection;

use super::agent_runner::AgentRunner;
use super::presence::{Presence, presence};
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::Runner;
use crate::secret::KeyRing;

struct Shared {
    db: DatabaseConnection,
    keys: KeyRing,
    clock: Clock,
    wake: Wake,
    seen: RwLock<HashMap<ClusterId, Vec<agent::Model>>>,
}

/// The clusters of agents; clones share them.
#[derive(Clone)]
pub struct Agents(Arc<Shared>);

impl Agents {
    #[must_use]
    pub fn new(db: DatabaseConnection, keys: KeyRing, clock: Clock, wake: Wake) -> Self {
        Self(Arc::new(Shared { db, keys, clock, wake, seen: RwLock::default() }))
    }

    /// Records the clusters and their agents.
    pub fn set(&self, clusters: HashMap<ClusterId, Vec<agent::Model>>) {
        *self.0.seen.write().unwrap_or_else(PoisonError::into_inner) = clusters;
    }

    /// The clusters of agents.
    #[must_use]
    pub fn all(&self) -> Vec<ClusterId> {
        self.0.seen.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Whether steps can be started in a cluster.
    #[must_use]
    pub fn presence(&self, id: ClusterId) -> Presence {
        let now = self.0.clock.now();
        match self.0.seen.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            None => Presence::Unknown,
            Some(agents) => presence(agents, now),
        }
    }

    /// The runner of a cluster.
    #[must_use]
    pub fn get(&self, id: ClusterId) -> Arc<dyn Runner> {
        let Shared { db, keys, clock, wake, seen: _ } = self.0.as_ref();
        Arc::new(AgentRunner::new(id, (db.clone(), keys.clone()), clock.clone(), wake.clone()))
    }
}
