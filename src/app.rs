//! The state that everything shares. It starts nothing.

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::access::authenticate::Authenticator;
use crate::clock::Clock;
use crate::config::Config;
use crate::runner::Runners;
use crate::secret::KeyRing;

/// Wakes the engine. A hint: a lost one costs time, never correctness.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Asks for a tick soon.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// What handlers and the engine work with.
pub struct App {
    pub db: DatabaseConnection,
    pub clock: Clock,
    pub config: Config,
    pub keys: KeyRing,
    pub runners: Runners,
    pub authenticator: Authenticator,
    pub wake: Wake,
    /// This server process, as the owner of leases.
    pub instance: Uuid,
}
