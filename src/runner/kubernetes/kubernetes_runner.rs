//! The connection to one cluster: client, watches and logs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use entity::id::ClusterId;
use k8s_openapi::api::batch::v1::Job;
use kube::api::{DeleteParams, Patch, PatchParams, PropagationPolicy};
use kube::{Api, Client};
use serde_json::Value;

use super::api_error::{unavailable, unless_gone};
use super::health::Health;
use super::kubeconfig::client;
use super::object_labels::MANAGER;
use super::pod_log::PodLogs;
use super::watch::Watch;
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::Unavailable;

/// Runs steps in one cluster.
pub struct KubernetesRunner {
    pub(super) id: ClusterId,
    pub(super) client: Client,
    pub(super) watch: Arc<Watch>,
    pub(super) logs: PodLogs,
    pub(super) clock: Clock,
    /// How long a pod may wait before its step fails with the reason it waits for.
    pub(super) patience: TimeDelta,
    /// Why steps were rejected, by step name.
    pub(super) refused: Mutex<HashMap<String, String>>,
    /// The uids of scheduled Jobs that were recorded.
    pub(super) recorded: Mutex<HashSet<String>>,
}

impl KubernetesRunner {
    /// Creates the connection. `health` later reports whether the cluster answers.
    ///
    /// # Errors
    /// Why no connection can be created.
    pub async fn connect(
        id: ClusterId,
        kubeconfig: &str,
        patience: Duration,
        clock: Clock,
        wake: Wake,
    ) -> Result<Self, String> {
        let client = client(kubeconfig).await?;
        let watch = Arc::new(Watch::start(&client, &wake));
        let logs = PodLogs::new(client.clone(), watch.clone(), wake);
        Ok(Self {
            id,
            client,
            watch,
            logs,
            clock,
            patience: TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX),
            refused: Mutex::default(),
            recorded: Mutex::default(),
        })
    }

    /// Whether the cluster can be used.
    #[must_use]
    pub fn health(&self) -> Health {
        self.watch.health()
    }

    /// An error unless the cluster can be used.
    pub(super) fn ready(&self) -> Result<(), Unavailable> {
        match self.watch.health() {
            Health::Ready(_) => Ok(()),
            Health::Connecting => Err(Unavailable("the server is connecting to the cluster".into())),
            Health::Unreachable(reason) => Err(Unavailable(format!("the cluster cannot be reached: {reason}"))),
            Health::Refused(reason) => Err(Unavailable(format!("the cluster rejected this server: {reason}"))),
        }
    }

    pub(super) async fn apply<K>(&self, api: Api<K>, object: &Value) -> Result<K, kube::Error>
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await
    }

    pub(super) fn refusal_of(&self, name: &str) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A Job. Asks the cluster if the watch does not know it, because the watch may lag behind.
    pub(super) async fn job(&self, namespace: &str, name: &str) -> Result<Option<Arc<Job>>, Unavailable> {
        if let Some(job) = self.watch.job(namespace, name) {
            return Ok(Some(job));
        }
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        Ok(api.get_opt(name).await.map_err(|e| unavailable(&e))?.map(Arc::new))
    }

    pub(super) async fn delete_job(&self, namespace: &str, name: &str) -> Result<(), Unavailable> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        unless_gone(api.delete(name, &in_the_foreground()).await).map_err(|e| unavailable(&e))
    }
}

pub(super) fn in_the_foreground() -> DeleteParams {
    DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() }
}
