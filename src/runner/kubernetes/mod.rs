//! Steps as Jobs of a Kubernetes cluster, and schedules as its CronJobs.
//!
//! A Job is named after its step, so that a second start finds the first; it outlives this server. What is in the cluster
//! is known by watches, so that asking for it costs no call, and a cluster that does not answer keeps nobody waiting.

pub mod clusters;
pub mod handle;
mod log;
mod objects;
pub mod pod;
mod status;
mod watch;
mod wire;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ClusterId, JobId};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams, PropagationPolicy};
use kube::{Api, Client, ResourceExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::handle::Handle;
use self::log::Logs;
use self::objects::{
    APPLIED_BY, JOB, MANAGED_BY, MANAGER, RECORDED, SCHEDULED, SCHEDULED_FOR, objects, pull_secret_name,
};
use self::status::{is_over, message, progress, times};
pub use self::watch::Health;
use self::watch::Watch;
pub use self::wire::{IN_CLUSTER, parse};
use self::wire::{refusal, unavailable};
use super::terraform::script::RESULT_FILE;
use super::{Kind, Lines, OUTPUT_FILE, Runner, StepSpec, StepState, Times, Unavailable};
use crate::clock::Clock;
use crate::liveness::wake::Wake;

/// The file of an applied CronJob that says how it was applied.
pub const APPLIED_FILE: &str = "applied.json";
/// The longest text that a kubelet puts into a status, in bytes; one of this length was cut.
const MESSAGE_BYTES: u64 = 4096;

/// What a CronJob was when it was applied: whatever differs later was changed by somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub uid: String,
    /// Counted up by the API server with every change of the specification.
    pub generation: i64,
    /// The version of the secret with its variables.
    pub secret: Option<String>,
}

/// A Job that a CronJob has started, and that is not recorded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledJob {
    pub handle: String,
    pub job: JobId,
    pub scheduled_for: DateTime<Utc>,
    pub uid: String,
}

/// Runs steps in one cluster.
pub struct KubernetesRunner {
    id: ClusterId,
    client: Client,
    watch: Arc<Watch>,
    logs: Logs,
    clock: Clock,
    /// How long a pod may wait before what keeps it waiting is why it failed.
    patience: TimeDelta,
    /// Why steps were refused, by their names.
    refused: Mutex<HashMap<String, String>>,
    /// The scheduled Jobs that were recorded, by their uids.
    recorded: Mutex<HashSet<String>>,
}

/// A step that the cluster will never take, or a call that may be tried again.
enum Failure {
    Refused(String),
    Later(Unavailable),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match refusal(&error) {
            Some(reason) => Self::Refused(reason),
            None => Self::Later(unavailable(&error)),
        }
    }
}

fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Lets what is gone be gone.
fn unless_gone<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if code(&error) == Some(404) => Ok(()),
        Err(error) => Err(error),
    }
}

fn in_the_foreground() -> DeleteParams {
    DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() }
}

impl KubernetesRunner {
    /// Connects; whether the cluster answers is seen later.
    ///
    /// # Errors
    /// Why there can be no connection at all.
    pub async fn connect(
        id: ClusterId,
        kubeconfig: &str,
        patience: Duration,
        clock: Clock,
        wake: Wake,
    ) -> Result<Self, String> {
        let client = wire::client(kubeconfig).await?;
        let watch = Arc::new(Watch::start(&client, &wake));
        let logs = Logs::new(client.clone(), watch.clone(), wake);
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

    /// An error where it cannot.
    fn ready(&self) -> Result<(), Unavailable> {
        match self.watch.health() {
            Health::Ready(_) => Ok(()),
            Health::Connecting => Err(Unavailable("the cluster is being connected".into())),
            Health::Unreachable(reason) => Err(Unavailable(format!("the cluster cannot be reached: {reason}"))),
            Health::Refused(reason) => Err(Unavailable(format!("the cluster refuses this server: {reason}"))),
        }
    }

    async fn apply<K>(&self, api: Api<K>, object: &Value) -> Result<K, kube::Error>
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await
    }

    /// Applies the objects of a step.
    async fn bring(&self, step: &StepSpec) -> Result<(), Failure> {
        let refused = |reason: &str| Failure::Refused(reason.to_owned());
        let pod = step.pod.as_deref().ok_or_else(|| refused("it was not made for Kubernetes"))?;
        let (namespace, name) = match Handle::parse(&step.name) {
            Some(Handle::Job { namespace, name } | Handle::Apply { namespace, name, .. }) => (namespace, name),
            Some(Handle::Withdraw { namespace, name }) => return self.withdraw(namespace, name).await,
            None => return Err(refused("it has no name in a cluster")),
        };
        let objects = objects(step, pod, name);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        self.apply(Api::<Namespace>::all(self.client.clone()), &objects.namespace).await?;
        let known = self.watch.cron_job(namespace, name).and_then(|there| there.uid());
        for secret in objects.secret.iter().chain(&objects.pull_secret) {
            // Where the owner is there already nothing changes but what has changed.
            let owned = known.clone().filter(|_| pod.times.is_some()).map(|uid| owned(secret, "CronJob", name, &uid));
            self.apply(secrets.clone(), owned.as_ref().unwrap_or(secret)).await?;
        }
        if !step.may_start() {
            // Nothing has failed: whether it is still to be started is looked at again.
            return Ok(());
        }
        let (uid, kind) = if pod.times.is_some() {
            let api: Api<CronJob> = Api::namespaced(self.client.clone(), namespace);
            (self.apply(api, &objects.owner).await?.uid(), "CronJob")
        } else {
            let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
            let job: Job =
                serde_json::from_value(objects.owner.clone()).map_err(|e| Failure::Refused(e.to_string()))?;
            match api
                .create(&kube::api::PostParams { field_manager: Some(MANAGER.into()), ..Default::default() }, &job)
                .await
            {
                Ok(created) => (created.uid(), "Job"),
                // It was started before: nothing of it is changed.
                Err(error) if code(&error) == Some(409) => (api.get(name).await?.uid(), "Job"),
                Err(error) => return Err(error.into()),
            }
        };
        // They go with their owner, whoever deletes it.
        for secret in objects.secret.iter().chain(&objects.pull_secret).filter(|_| known != uid) {
            self.apply(secrets.clone(), &owned(secret, kind, name, uid.as_deref().unwrap_or_default())).await?;
        }
        if pod.times.is_some() && objects.pull_secret.is_none() {
            let stale = pull_secret_name(name);
            if self.watch.secret_version(namespace, &stale).is_some() {
                unless_gone(secrets.delete(&stale, &DeleteParams::default()).await)?;
            }
        }
        Ok(())
    }

    /// Takes a CronJob away, once all that it has started is recorded.
    async fn withdraw(&self, namespace: &str, name: &str) -> Result<(), Failure> {
        let api: Api<CronJob> = Api::namespaced(self.client.clone(), namespace);
        let Some(there) = self.watch.cron_job(namespace, name) else { return Ok(()) };
        if there.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        if there.spec.as_ref().is_some_and(|spec| spec.suspend != Some(true)) {
            let suspended = json!({"spec": {"suspend": true}});
            let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(suspended)).await;
            return Ok(unless_gone(patched)?);
        }
        if self.scheduled().iter().any(|job| job.handle.starts_with(&format!("{namespace}/{name}-"))) {
            return Ok(());
        }
        unless_gone(api.delete(name, &in_the_foreground()).await)?;
        Ok(self.delete_secrets(namespace, name).await?)
    }

    async fn delete_secrets(&self, namespace: &str, name: &str) -> Result<(), kube::Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        for secret in [name.to_owned(), pull_secret_name(name)] {
            if self.watch.secret_version(namespace, &secret).is_some() {
                unless_gone(secrets.delete(&secret, &DeleteParams::default()).await)?;
            }
        }
        Ok(())
    }

    /// The Jobs that CronJobs have started, and that are not recorded yet.
    #[must_use]
    pub fn scheduled(&self) -> Vec<ScheduledJob> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = self.watch.jobs();
        let wanted = jobs.iter().filter(|job| {
            let labels = job.labels();
            labels.contains_key(SCHEDULED) && !labels.contains_key(RECORDED)
        });
        let mut found: Vec<ScheduledJob> = wanted.filter_map(|job| scheduled_job(job)).collect();
        found.retain(|job| !recorded.contains(&job.uid));
        found.sort_by_key(|job| job.scheduled_for);
        found
    }

    /// Some of those have been recorded.
    pub fn note_recorded(&self, jobs: impl Iterator<Item = String>) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.extend(jobs);
        if recorded.len() > 10_000 {
            // Of what is gone nothing has to be remembered.
            let there: HashSet<String> = self.watch.jobs().iter().filter_map(|job| job.uid()).collect();
            recorded.retain(|uid| there.contains(uid));
        }
    }

    /// What a CronJob is now; none where it is gone, or going.
    #[must_use]
    pub fn applied(&self, namespace: &str, name: &str) -> Option<Applied> {
        let there = self.watch.cron_job(namespace, name)?;
        if there.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(Applied {
            uid: there.uid()?,
            generation: there.metadata.generation?,
            secret: self.watch.secret_version(namespace, name),
        })
    }

    /// Deletes a namespace that is one of ours; true when it is gone.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn delete_namespace(&self, name: &str, environment: &str) -> Result<bool, Unavailable> {
        self.ready()?;
        let api: Api<Namespace> = Api::all(self.client.clone());
        let Some(there) = api.get_opt(name).await.map_err(|e| unavailable(&e))? else { return Ok(true) };
        let labels = there.labels();
        let ours = labels.get(MANAGED_BY).is_some_and(|by| by == MANAGER)
            && labels.get(objects::ENVIRONMENT).is_some_and(|id| id == environment);
        if !ours {
            return Ok(true);
        }
        if there.metadata.deletion_timestamp.is_none() {
            unless_gone(api.delete(name, &in_the_foreground()).await).map_err(|e| unavailable(&e))?;
        }
        Ok(false)
    }

    fn refusal_of(&self, name: &str) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A Job, asked for where the watch does not know it: it may be a moment behind.
    async fn job(&self, namespace: &str, name: &str) -> Result<Option<Arc<Job>>, Unavailable> {
        if let Some(job) = self.watch.job(namespace, name) {
            return Ok(Some(job));
        }
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        Ok(api.get_opt(name).await.map_err(|e| unavailable(&e))?.map(Arc::new))
    }

    async fn delete_job(&self, namespace: &str, name: &str) -> Result<(), Unavailable> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        unless_gone(api.delete(name, &in_the_foreground()).await).map_err(|e| unavailable(&e))
    }
}

/// An object that goes with its owner.
fn owned(object: &Value, kind: &str, name: &str, uid: &str) -> Value {
    let mut object = object.clone();
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let owner = json!([{"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": uid}]);
        meta.insert("ownerReferences".into(), owner);
    }
    object
}

fn scheduled_job(job: &Job) -> Option<ScheduledJob> {
    let at = DateTime::parse_from_rfc3339(job.annotations().get(SCHEDULED_FOR)?).ok()?;
    Some(ScheduledJob {
        handle: handle::job(&job.namespace()?, &job.name_any()),
        job: JobId(job.labels().get(JOB)?.parse().ok()?),
        scheduled_for: at.to_utc(),
        uid: job.uid()?,
    })
}

#[async_trait]
impl Runner for KubernetesRunner {
    fn kind(&self) -> Kind {
        Kind::Kubernetes(self.id)
    }

    async fn place(&self) -> Result<String, Unavailable> {
        self.ready()?;
        Ok(clusters::place(self.id))
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        self.ready()?;
        match self.bring(step).await {
            Ok(()) => Ok(()),
            Err(Failure::Later(unavailable)) => Err(unavailable),
            Err(Failure::Refused(reason)) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.insert(step.name.clone(), format!("Kubernetes has refused it: {reason}"));
                Ok(())
            }
        }
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        self.ready()?;
        let exited = StepState::Exited { exit_code: 0, reason: None };
        let refused = || self.refusal_of(name).map_or(StepState::Unknown, |reason| StepState::CannotStart { reason });
        Ok(match Handle::parse(name) {
            None => StepState::Unknown,
            Some(Handle::Job { namespace, name: job }) => match self.job(namespace, job).await? {
                Some(found) => progress(&found, &self.watch.pods(namespace, job), self.patience, self.clock.now()),
                None => refused(),
            },
            Some(Handle::Apply { namespace, name: cron_job, run }) => {
                let there = self.watch.cron_job(namespace, cron_job);
                let applied =
                    there.is_some_and(|there| there.annotations().get(APPLIED_BY).is_some_and(|by| by == run));
                let secret = self.watch.secret_version(namespace, cron_job).is_some();
                if applied && secret { exited } else { refused() }
            }
            Some(Handle::Withdraw { namespace, name: cron_job }) => match self.watch.cron_job(namespace, cron_job) {
                None => exited,
                Some(_) => refused(),
            },
        })
    }

    async fn times(&self, name: &str) -> Result<Times, Unavailable> {
        let Some(Handle::Job { namespace, name }) = Handle::parse(name) else { return Ok(Times::default()) };
        let job = self.job(namespace, name).await?;
        Ok(job.map(|job| times(&job, &self.watch.pods(namespace, name))).unwrap_or_default())
    }

    async fn stop(&self, name: &str, _grace: Duration) -> Result<(), Unavailable> {
        // How long its pods are given is part of what was applied.
        match Handle::parse(name) {
            Some(Handle::Job { namespace, name }) => {
                let there = self.watch.job(namespace, name);
                if there.is_some_and(|job| job.metadata.deletion_timestamp.is_some()) {
                    return Ok(());
                }
                self.delete_job(namespace, name).await
            }
            _ => Ok(()),
        }
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let Some(Handle::Job { namespace, name: job }) = Handle::parse(name) else {
            return Ok(Lines { lines: Vec::new(), end: true });
        };
        if !self.logs.holds(name) && self.job(namespace, job).await?.is_none() {
            return Ok(Lines { lines: Vec::new(), end: true });
        }
        self.logs.read(name, (namespace, job), skip, limit).await
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        match Handle::parse(name) {
            Some(Handle::Job { namespace, name }) if file == OUTPUT_FILE || file == RESULT_FILE => {
                let text = message(&self.watch.pods(namespace, name)).map(String::into_bytes);
                Ok(text.map(|mut bytes| {
                    bytes.truncate(usize::try_from(most + 1).unwrap_or(usize::MAX));
                    bytes
                }))
            }
            Some(Handle::Apply { namespace, name, .. }) if file == APPLIED_FILE => {
                let cron_jobs: Api<CronJob> = Api::namespaced(self.client.clone(), namespace);
                let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
                // Asked for: the watches may be a moment behind.
                let there = cron_jobs.get_metadata(name).await.map_err(|e| unavailable(&e))?;
                let secret = secrets.get_metadata_opt(name).await.map_err(|e| unavailable(&e))?;
                let applied = Applied {
                    uid: there.uid().unwrap_or_default(),
                    generation: there.metadata.generation.unwrap_or(0),
                    secret: secret.and_then(|secret| secret.metadata.resource_version),
                };
                Ok(serde_json::to_vec(&applied).ok())
            }
            _ => Ok(None),
        }
    }

    fn most_output(&self) -> u64 {
        MESSAGE_BYTES - 1
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        let handle = name;
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(handle);
        self.logs.forget(handle);
        let Some(Handle::Job { namespace, name }) = Handle::parse(handle) else { return Ok(()) };
        let Some(job) = self.job(namespace, name).await? else {
            // What was made for a Job that was refused has no owner to go with.
            return self.delete_secrets(namespace, name).await.map_err(|e| unavailable(&e));
        };
        let keeps_itself = job.labels().contains_key(SCHEDULED)
            || job.spec.as_ref().is_some_and(|spec| spec.ttl_seconds_after_finished.is_some());
        if keeps_itself && is_over(&job) {
            // Kubernetes removes it by its own rules; it is only said that nobody waits for it here any more.
            let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
            let noted = json!({"metadata": {"labels": {RECORDED: "true"}}});
            let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(noted)).await;
            return unless_gone(patched).map_err(|e| unavailable(&e));
        }
        self.delete_job(namespace, name).await
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        self.ready()?;
        let jobs = self.watch.jobs();
        let left =
            jobs.iter().filter(|job| !job.labels().contains_key(RECORDED) && job.metadata.deletion_timestamp.is_none());
        Ok(left.filter_map(|job| Some(handle::job(&job.namespace()?, &job.name_any()))).collect())
    }

    async fn close(&self) {}
}
