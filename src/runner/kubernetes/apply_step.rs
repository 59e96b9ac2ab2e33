//! Applies the objects of a step, and removes CronJobs.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::api_error::{code, refusal, unavailable, unless_gone};
use super::handle::Handle;
use super::kubernetes_runner::{KubernetesRunner, in_the_foreground};
use super::object_labels::MANAGER;
use super::object_parts::{file_secrets_prefix, pull_secret_name};
use super::objects::{Objects, objects};
use crate::runner::interface::Unavailable;
use crate::runner::step_spec::StepSpec;

/// A step that the cluster will never accept, or a call that may be retried.
pub(super) enum Failure {
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

impl KubernetesRunner {
    /// Applies the objects of a step.
    pub(super) async fn apply_objects(&self, step: &StepSpec) -> Result<(), Failure> {
        let refused = |reason: &str| Failure::Refused(reason.to_owned());
        let pod = step.pod.as_deref().ok_or_else(|| refused("the step has no options for Kubernetes"))?;
        let (namespace, name) = match Handle::parse(&step.name) {
            Some(Handle::Job { namespace, name } | Handle::Apply { namespace, name, .. }) => (namespace, name),
            Some(Handle::Withdraw { namespace, name }) => return self.withdraw(namespace, name).await,
            None => return Err(refused("the step has no name in a cluster")),
        };
        let objects = objects(step, pod, name);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        self.apply(Api::<Namespace>::all(self.client.clone()), &objects.namespace).await?;
        let known = self.watch.cron_job(namespace, name).and_then(|there| there.uid());
        for secret in objects.secrets() {
            // With the reference to its existing owner, an unchanged Secret keeps its version.
            let owned = known.clone().filter(|_| pod.times.is_some()).map(|uid| owned(secret, "CronJob", name, &uid));
            self.apply(secrets.clone(), owned.as_ref().unwrap_or(secret)).await?;
        }
        if !step.may_start() {
            // Not a failure: the next tick checks again whether to start the step.
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
                // The Job was started before and is left unchanged.
                Err(error) if code(&error) == Some(409) => (api.get(name).await?.uid(), "Job"),
                Err(error) => return Err(error.into()),
            }
        };
        // Kubernetes deletes the Secrets together with their owner.
        for secret in objects.secrets().filter(|_| known != uid) {
            self.apply(secrets.clone(), &owned(secret, kind, name, uid.as_deref().unwrap_or_default())).await?;
        }
        if pod.times.is_some() {
            self.delete_stale_secrets(namespace, name, &objects).await?;
        }
        Ok(())
    }

    /// Deletes a CronJob once all Jobs that it has started are recorded.
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

    /// Deletes the Secrets of a CronJob that its newest version does not use.
    async fn delete_stale_secrets(&self, namespace: &str, name: &str, objects: &Objects) -> Result<(), Failure> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let used =
            |name: &String| objects.secrets().any(|secret| secret.pointer("/metadata/name") == Some(&json!(name)));
        for stale in self.further_secrets(namespace, name).into_iter().filter(|name| !used(name)) {
            unless_gone(secrets.delete(&stale, &DeleteParams::default()).await)?;
        }
        Ok(())
    }

    /// The Secrets of a step besides the first one.
    fn further_secrets(&self, namespace: &str, name: &str) -> Vec<String> {
        let pull = Some(pull_secret_name(name)).filter(|name| self.watch.secret_version(namespace, name).is_some());
        let files = self.watch.secrets_that_begin_with(namespace, &file_secrets_prefix(name));
        files.into_iter().chain(pull).collect()
    }

    pub(super) async fn delete_secrets(&self, namespace: &str, name: &str) -> Result<(), kube::Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let first = Some(name.to_owned()).filter(|name| self.watch.secret_version(namespace, name).is_some());
        for secret in first.into_iter().chain(self.further_secrets(namespace, name)) {
            unless_gone(secrets.delete(&secret, &DeleteParams::default()).await)?;
        }
        Ok(())
    }
}

/// An object with an owner: Kubernetes deletes both together.
fn owned(object: &Value, kind: &str, name: &str, uid: &str) -> Value {
    let mut object = object.clone();
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let owner = json!([{"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": uid}]);
        meta.insert("ownerReferences".into(), owner);
    }
    object
}
