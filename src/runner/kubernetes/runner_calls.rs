//! The runner interface of a cluster.

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::api_error::{unavailable, unless_gone};
use super::apply_step::Failure;
use super::cron_job::{APPLIED_FILE, CronJobVersion};
use super::handle::Handle;
use super::job_status::{is_over, message, progress, times};
use super::kubernetes_runner::KubernetesRunner;
use super::object_labels::{APPLIED_BY, RECORDED, SCHEDULED};
use super::{cluster_place, handle};
use crate::runner::interface::{OutputError, Runner, Target, Unavailable};
use crate::runner::line::Lines;
use crate::runner::output_file::OUTPUT_FILE;
use crate::runner::step_spec::StepSpec;
use crate::runner::step_state::{StepState, StepTimes};
use crate::runner::terraform::layout::RESULT_FILE;

/// The longest termination message that a kubelet keeps, in bytes; one of this length may have been cut.
const MESSAGE_BYTES: u64 = 4096;

#[async_trait]
impl Runner for KubernetesRunner {
    fn target(&self) -> Target {
        Target::Kubernetes(self.id)
    }

    async fn place(&self) -> Result<String, Unavailable> {
        self.ready()?;
        Ok(cluster_place::place(self.id))
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        self.ready()?;
        match self.apply_objects(step).await {
            Ok(()) => Ok(()),
            Err(Failure::Later(unavailable)) => Err(unavailable),
            Err(Failure::Refused(reason)) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.insert(step.name.clone(), format!("Kubernetes rejected the step: {reason}"));
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

    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable> {
        let Some(Handle::Job { namespace, name }) = Handle::parse(name) else { return Ok(StepTimes::default()) };
        let job = self.job(namespace, name).await?;
        Ok(job.map(|job| times(&job, &self.watch.pods(namespace, name))).unwrap_or_default())
    }

    async fn stop(&self, name: &str, _grace: Duration) -> Result<(), Unavailable> {
        // The grace period of the pods is part of the applied Job.
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

    fn lines_stored(&self, name: &str, lines: u64) {
        self.logs.lines_stored(name, lines);
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

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, OutputError> {
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
                // Ask the cluster, because the watches may lag behind.
                let there = cron_jobs.get_metadata(name).await.map_err(|e| unavailable(&e))?;
                let secret = secrets.get_metadata_opt(name).await.map_err(|e| unavailable(&e))?;
                let applied = CronJobVersion {
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
            // The Secrets of a rejected Job have no owner, so Kubernetes does not delete them.
            return self.delete_secrets(namespace, name).await.map_err(|e| unavailable(&e));
        };
        let keeps_itself = job.labels().contains_key(SCHEDULED)
            || job.spec.as_ref().is_some_and(|spec| spec.ttl_seconds_after_finished.is_some());
        if keeps_itself && is_over(&job) {
            // Kubernetes removes this Job itself; the label marks it as recorded.
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
