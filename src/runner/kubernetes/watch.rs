//! Watches the objects of a cluster, so that polling a step costs no request.
//!
//! A broken watch resumes or lists everything again; until then its last state is used. A separate task checks whether
//! the cluster answers.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::api_error::reason_of;
use super::handle;
use super::health::Health;
use super::job_status::Pods;
use super::object_labels::{MANAGED_BY, MANAGER};
use super::watch_state::{ClusterState, job_of, take_pod};
use crate::liveness::wake::Wake;

/// How often to check whether the cluster answers.
const ASK: Duration = Duration::from_secs(5);

/// The time limit of a check.
const PATIENCE: Duration = Duration::from_secs(5);

/// The watches of one cluster; dropping this stops them.
pub(super) struct Watch {
    state: Arc<Mutex<ClusterState>>,
    _tasks: JoinSet<()>,
}

fn lock(state: &Mutex<ClusterState>) -> MutexGuard<'_, ClusterState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Starts the watches.
    pub(super) fn start(client: &Client, wake: &Wake) -> Self {
        let state = Arc::new(Mutex::new(ClusterState::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(ask(client.clone(), state.clone(), wake.clone()));
        let config = || watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
        let jobs = watcher(Api::<Job>::all(client.clone()), config());
        tasks.spawn(follow(
            jobs,
            state.clone(),
            wake.clone(),
            |state, event| {
                let step = changed(&event).and_then(|job| Some(handle::job(&job.namespace()?, &job.name_any())));
                state.jobs.take(event);
                step
            },
            |state, broken| state.jobs.broken = Some(broken),
        ));
        let pods = watcher(Api::<Pod>::all(client.clone()), config());
        let take = |state: &mut ClusterState, event| {
            let step = changed(&event).and_then(job_of).map(|(namespace, job)| handle::job(&namespace, &job));
            take_pod(state, event);
            step
        };
        tasks.spawn(follow(pods, state.clone(), wake.clone(), take, |state, broken| state.pods.broken = Some(broken)));
        let cron_jobs = watcher(Api::<CronJob>::all(client.clone()), config());
        tasks.spawn(follow(
            cron_jobs,
            state.clone(),
            wake.clone(),
            |state, event| {
                state.cron_jobs.take(event);
                None
            },
            |state, broken| state.cron_jobs.broken = Some(broken),
        ));
        let secrets = watcher(Api::<PartialObjectMeta<Secret>>::all(client.clone()), config());
        tasks.spawn(follow(
            secrets,
            state.clone(),
            wake.clone(),
            |state, event| {
                state.secrets.take(event);
                None
            },
            |state, broken| state.secrets.broken = Some(broken),
        ));
        Self { state, _tasks: tasks }
    }

    /// Whether the cluster answers and all watches have listed their objects.
    pub(super) fn health(&self) -> Health {
        let state = lock(&self.state);
        let version = match &state.asked {
            None => return Health::Connecting,
            Some(Err(health)) => return health.clone(),
            Some(Ok(version)) => version.clone(),
        };
        let broken = [&state.jobs.broken, &state.pods.broken, &state.cron_jobs.broken, &state.secrets.broken];
        let complete = state.jobs.complete && state.pods.complete && state.cron_jobs.complete && state.secrets.complete;
        match broken.into_iter().flatten().next() {
            // A watch that loses its connection after the initial list resumes by itself.
            Some(reason) if !complete => Health::Refused(reason.clone()),
            _ if complete => Health::Ready(version),
            _ => Health::Connecting,
        }
    }

    pub(super) fn job(&self, namespace: &str, name: &str) -> Option<Arc<Job>> {
        lock(&self.state).jobs.held.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    pub(super) fn jobs(&self) -> Vec<Arc<Job>> {
        lock(&self.state).jobs.held.values().cloned().collect()
    }

    /// The pods of a Job, the oldest first.
    pub(super) fn pods(&self, namespace: &str, job: &str) -> Pods {
        let state = lock(&self.state);
        let found = state.pods_of.get(&(namespace.to_owned(), job.to_owned()));
        let mut pods: Pods = found.into_iter().flat_map(|pods| pods.values().cloned()).collect();
        pods.sort_by_key(|pod| (pod.metadata.creation_timestamp.clone(), pod.name_any()));
        pods
    }

    pub(super) fn cron_job(&self, namespace: &str, name: &str) -> Option<Arc<CronJob>> {
        lock(&self.state).cron_jobs.held.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// The names of Secrets with this beginning.
    pub(super) fn secrets_that_begin_with(&self, namespace: &str, prefix: &str) -> Vec<String> {
        let state = lock(&self.state);
        let held = state.secrets.held.keys().filter(|(place, name)| place == namespace && name.starts_with(prefix));
        held.map(|(_, name)| name.clone()).collect()
    }

    /// The version of a Secret; none if it does not exist.
    pub(super) fn secret_version(&self, namespace: &str, name: &str) -> Option<String> {
        let state = lock(&self.state);
        let secret = state.secrets.held.get(&(namespace.to_owned(), name.to_owned()))?;
        secret.metadata.resource_version.clone()
    }
}

/// The object that a change is about; the initial list is no change.
fn changed<K>(event: &Event<K>) -> Option<&K> {
    match event {
        Event::Apply(object) | Event::Delete(object) => Some(object),
        Event::Init | Event::InitApply(_) | Event::InitDone => None,
    }
}

/// Applies the events of a watch, and reports the steps that they are about. A broken watch is restarted after a pause.
async fn follow<K: ResourceExt + DeserializeOwned + Debug + Clone + Send + 'static>(
    watch: impl futures_util::Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    state: Arc<Mutex<ClusterState>>,
    wake: Wake,
    take: fn(&mut ClusterState, Event<K>) -> Option<String>,
    broken: fn(&mut ClusterState, String),
) {
    let watch = watch.default_backoff().modify(|object| {
        // Never used, and often more than half of an object.
        object.managed_fields_mut().clear();
    });
    let mut watch = std::pin::pin!(watch);
    while let Some(event) = watch.next().await {
        match event {
            Ok(event) => {
                let step = take(&mut lock(&state), event);
                match step {
                    Some(step) => wake.step(&step),
                    None => wake.here(),
                }
            }
            Err(error) => {
                let reason = watch_failure(&error);
                tracing::debug!(reason, "watch failed; will restart");
                broken(&mut lock(&state), reason);
            }
        }
    }
}

fn watch_failure(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => reason_of(error),
        watcher::Error::WatchError(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// Checks regularly whether the cluster answers.
async fn ask(client: Client, state: Arc<Mutex<ClusterState>>, wake: Wake) {
    loop {
        let answer = match tokio::time::timeout(PATIENCE, client.apiserver_version()).await {
            Ok(Ok(version)) => Ok(version.git_version),
            Ok(Err(kube::Error::Api(status))) if status.code == 401 || status.code == 403 => {
                Err(Health::Refused(status.message.clone()))
            }
            Ok(Err(error)) => Err(Health::Unreachable(reason_of(&error))),
            Err(_) => Err(Health::Unreachable(format!("no answer in {} seconds", PATIENCE.as_secs()))),
        };
        let changed = {
            let mut state = lock(&state);
            let changed = state.asked.as_ref() != Some(&answer);
            state.asked = Some(answer);
            changed
        };
        if changed {
            wake.now();
        }
        tokio::time::sleep(ASK).await;
    }
}
