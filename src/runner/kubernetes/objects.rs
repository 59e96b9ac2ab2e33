//! Pure: turns a step into the Kubernetes objects to apply for it.
//!
//! Names are derived from ids, so that applying is idempotent. Labels link every object to its job, run and
//! deployment. The fields are those of `batch/v1` and `v1`
//! (<https://kubernetes.io/docs/reference/kubernetes-api/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::object_labels::{APPLIED_BY, MANAGED_BY, MANAGER, SCHEDULED};
use super::object_parts::{annotate, file_key, pull_secret_name, put};
use super::pod_options::{Concurrency, CronTimes, PodOptions};
use super::pod_template::job_spec;
use crate::runner::step_spec::{Image, StepSpec};

/// The objects of a step, in the order in which they are applied.
pub(super) struct Objects {
    pub(super) namespace: Value,
    /// None if the step has neither variables nor files.
    pub(super) secret: Option<Value>,
    /// The login to the registry of the image.
    pub(super) pull_secret: Option<Value>,
    /// The Job, or the CronJob if the step has a schedule.
    pub(super) owner: Value,
}

/// The objects to apply for a step.
pub(super) fn objects(step: &StepSpec, pod: &PodOptions, name: &str) -> Objects {
    let labels = labels(step, pod);
    let meta =
        |name: &str, labels: &Map<String, Value>| json!({"name": name, "namespace": pod.namespace, "labels": labels});
    let mut data = Map::new();
    for (key, value) in &step.environment {
        data.insert(key.clone(), json!(STANDARD.encode(value.expose())));
    }
    for (place, file) in step.files.iter().enumerate() {
        data.insert(file_key(place), json!(STANDARD.encode(file.content.expose())));
    }
    let secret = (!data.is_empty()).then(|| {
        let mut meta = meta(name, &labels);
        annotate(&mut meta, &pod.annotations.secrets);
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})
    });
    let pull_secret = step.image.as_ref().and_then(|image| pull_secret(image, meta(&pull_secret_name(name), &labels)));
    let mut namespace_labels = Map::new();
    namespace_labels.insert(MANAGED_BY.into(), json!(MANAGER));
    namespace_labels.extend(pod.namespace_labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    let owner = match &pod.times {
        Some(times) => cron_job(step, pod, times, name, &labels),
        None => job(step, pod, name, &labels),
    };
    Objects {
        namespace: json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": pod.namespace, "labels": namespace_labels}}),
        secret,
        pull_secret,
        owner,
    }
}

/// Labels of groups come first, so that they never overwrite ours.
fn labels(step: &StepSpec, pod: &PodOptions) -> Map<String, Value> {
    let mut labels: Map<String, Value> = pod.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    labels.extend(step.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    labels.insert(MANAGED_BY.into(), json!(MANAGER));
    labels
}

fn pull_secret(image: &Image, meta: Value) -> Option<Value> {
    let login = image.credentials.as_ref()?;
    let auth = STANDARD.encode(format!("{}:{}", login.username, login.password.expose()));
    let server = match login.server.as_str() {
        // The kubelet looks up images of Docker Hub under this key.
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    let config = json!({"auths": {server: {"auth": auth}}}).to_string();
    Some(json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": STANDARD.encode(config)}}))
}

fn job(step: &StepSpec, pod: &PodOptions, name: &str, labels: &Map<String, Value>) -> Value {
    let mut meta = json!({"name": name, "namespace": pod.namespace, "labels": labels});
    annotate(&mut meta, &pod.annotations.jobs);
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": job_spec(step, pod, name, labels)})
}

fn cron_job(step: &StepSpec, pod: &PodOptions, times: &CronTimes, name: &str, labels: &Map<String, Value>) -> Value {
    let mut annotations = pod.annotations.cron_jobs.clone();
    annotations.push((APPLIED_BY.into(), times.applied_by.clone()));
    let mut meta = json!({"name": name, "namespace": pod.namespace, "labels": labels});
    annotate(&mut meta, &annotations);
    let mut job_labels = labels.clone();
    job_labels.insert(SCHEDULED.into(), json!("true"));
    let mut job_meta = json!({"labels": job_labels});
    annotate(&mut job_meta, &pod.annotations.jobs);
    let mut spec = json!({
        "schedule": times.schedule,
        "timeZone": times.zone,
        "concurrencyPolicy": match times.concurrency {
            Concurrency::Allow => "Allow",
            Concurrency::Forbid => "Forbid",
            Concurrency::Replace => "Replace",
        },
        "suspend": times.suspended,
        "successfulJobsHistoryLimit": times.keep_succeeded,
        "failedJobsHistoryLimit": times.keep_failed,
        "jobTemplate": {"metadata": job_meta, "spec": job_spec(step, pod, name, &job_labels)},
    });
    put(&mut spec, "startingDeadlineSeconds", times.starting_deadline_seconds);
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec})
}
