//! The state of a cluster as its watches have reported it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::Event;

use super::health::Health;
use super::object_store::ObjectStore;

/// Set by the Job controller on pods.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Pods by namespace and Job.
pub(super) type PodsByJob = HashMap<(String, String), BTreeMap<String, Arc<Pod>>>;

#[derive(Default)]
pub(super) struct ClusterState {
    pub(super) jobs: ObjectStore<Job>,
    pub(super) pods: ObjectStore<Pod>,
    pub(super) pods_of: PodsByJob,
    pub(super) cron_jobs: ObjectStore<CronJob>,
    pub(super) secrets: ObjectStore<PartialObjectMeta<Secret>>,
    /// The result of the last check of whether the cluster answers.
    pub(super) asked: Option<Result<String, Health>>,
}

/// The Job of a pod, with its namespace.
pub(super) fn job_of(pod: &Pod) -> Option<(String, String)> {
    let job = pod.labels().get(JOB_NAME).cloned()?;
    Some((pod.namespace().unwrap_or_default(), job))
}

pub(super) fn take_pod(state: &mut ClusterState, event: Event<Pod>) {
    match &event {
        Event::Apply(pod) => {
            if let Some(job) = job_of(pod) {
                state.pods_of.entry(job).or_default().insert(pod.name_any(), Arc::new(pod.clone()));
            }
        }
        Event::Delete(pod) => {
            if let Some(job) = job_of(pod)
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
            if let Some(job) = job_of(pod) {
                pods_of.entry(job).or_default().insert(pod.name_any(), pod.clone());
            }
        }
        state.pods_of = pods_of;
    }
}
