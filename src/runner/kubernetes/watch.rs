//! What is in a cluster, kept by watches: asking how far runs have come costs no call.
//!
//! A watch that breaks goes on where it was, or lists all again; meanwhile what it last knew stands. Whether the cluster
//! answers is asked for beside them.

use std::collections::{BTreeMap, HashMap};
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

use super::objects::{MANAGED_BY, MANAGER};
use super::status::Pods;
use super::wire::reason_of;
use crate::liveness::wake::Wake;

/// How often it is asked whether the cluster answers.
const ASK: Duration = Duration::from_secs(5);
/// For one such answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Written by the controller of Jobs on their pods.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is being connected.
    Connecting,
    /// It answers; with its version.
    Ready(String),
    /// It does not, and why.
    Unreachable(String),
    /// It answers, but does not let us in.
    Refused(String),
}

/// Objects by namespace and name.
struct Store<K> {
    held: HashMap<(String, String), Arc<K>>,
    /// What a list that is not complete has brought.
    coming: HashMap<(String, String), Arc<K>>,
    complete: bool,
    /// Why the watch is broken.
    broken: Option<String>,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self { held: HashMap::new(), coming: HashMap::new(), complete: false, broken: None }
    }
}

impl<K: ResourceExt> Store<K> {
    fn take(&mut self, event: Event<K>) {
        let key = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Apply(object) => {
                self.held.insert(key(&object), Arc::new(object));
            }
            Event::Delete(object) => {
                self.held.remove(&key(&object));
            }
            Event::Init => self.coming.clear(),
            Event::InitApply(object) => {
                self.coming.insert(key(&object), Arc::new(object));
            }
            Event::InitDone => {
                self.held = std::mem::take(&mut self.coming);
                self.complete = true;
            }
        }
        self.broken = None;
    }
}

/// Pods by the namespace and the Job that they belong to.
type PodsByJob = HashMap<(String, String), BTreeMap<String, Arc<Pod>>>;

#[derive(Default)]
struct State {
    jobs: Store<Job>,
    pods: Store<Pod>,
    pods_of: PodsByJob,
    cron_jobs: Store<CronJob>,
    secrets: Store<PartialObjectMeta<Secret>>,
    /// What the last question came to.
    asked: Option<Result<String, Health>>,
}

/// The watches of one cluster; they end with it.
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Begins to watch.
    pub(super) fn start(client: &Client, wake: &Wake) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(ask(client.clone(), state.clone(), wake.clone()));
        let config = || watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
        let jobs = watcher(Api::<Job>::all(client.clone()), config());
        tasks.spawn(follow(
            jobs,
            state.clone(),
            wake.clone(),
            |state, event| {
                state.jobs.take(event);
            },
            |state, broken| state.jobs.broken = Some(broken),
        ));
        let pods = watcher(Api::<Pod>::all(client.clone()), config());
        tasks.spawn(follow(pods, state.clone(), wake.clone(), take_pod, |state, broken| {
            state.pods.broken = Some(broken)
        }));
        let cron_jobs = watcher(Api::<CronJob>::all(client.clone()), config());
        tasks.spawn(follow(
            cron_jobs,
            state.clone(),
            wake.clone(),
            |state, event| {
                state.cron_jobs.take(event);
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
            },
            |state, broken| state.secrets.broken = Some(broken),
        ));
        Self { state, _tasks: tasks }
    }

    /// Whether the cluster can be used, and what is known of it is complete.
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
            // One that had its list and lost its connection is on its way back.
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

    /// What the version of a secret is; none where there is none.
    pub(super) fn secret_version(&self, namespace: &str, name: &str) -> Option<String> {
        let state = lock(&self.state);
        let secret = state.secrets.held.get(&(namespace.to_owned(), name.to_owned()))?;
        secret.metadata.resource_version.clone()
    }
}

fn take_pod(state: &mut State, event: Event<Pod>) {
    let key = |pod: &Pod| {
        let job = pod.labels().get(JOB_NAME).cloned()?;
        Some((pod.namespace().unwrap_or_default(), job))
    };
    match &event {
        Event::Apply(pod) => {
            if let Some(job) = key(pod) {
                state.pods_of.entry(job).or_default().insert(pod.name_any(), Arc::new(pod.clone()));
            }
        }
        Event::Delete(pod) => {
            if let Some(job) = key(pod)
                && let Some(pods) = state.pods_of.get_mut(&job)
            {
                pods.remove(&pod.name_any());
                if pods.is_empty() {
                    state.pods_of.remove(&job);
                }
            }
        }
        Event::Init | Event::InitApply(_) | Event::InitDone => {}
    }
    let listed = matches!(event, Event::InitDone);
    state.pods.take(event);
    if listed {
        let mut pods_of = PodsByJob::new();
        for pod in state.pods.held.values() {
            if let Some(job) = key(pod) {
                pods_of.entry(job).or_default().insert(pod.name_any(), pod.clone());
            }
        }
        state.pods_of = pods_of;
    }
}

/// Takes what a watch brings; it is begun again after a pause where it breaks.
async fn follow<K: ResourceExt + DeserializeOwned + Debug + Clone + Send + 'static>(
    watch: impl futures_util::Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    state: Arc<Mutex<State>>,
    wake: Wake,
    take: fn(&mut State, Event<K>),
    broken: fn(&mut State, String),
) {
    let watch = watch.default_backoff().modify(|object| {
        // Never looked at, and often the larger half.
        object.managed_fields_mut().clear();
    });
    let mut watch = std::pin::pin!(watch);
    while let Some(event) = watch.next().await {
        match event {
            Ok(event) => {
                take(&mut lock(&state), event);
                wake.here();
            }
            Err(error) => {
                let reason = watch_failure(&error);
                tracing::debug!(reason, "a watch broke; it is begun again");
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

/// Asks now and then whether the cluster answers.
async fn ask(client: Client, state: Arc<Mutex<State>>, wake: Wake) {
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
