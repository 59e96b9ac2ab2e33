//! Pure: turns a step into the Kubernetes objects to apply for it.
//!
//! Names are derived from ids, so that applying is idempotent. Labels link every object to its job, run and
//! deployment. The fields are those of `batch/v1` and `v1`
//! (<https://kubernetes.io/docs/reference/kubernetes-api/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::object_labels::{APPLIED_BY, MANAGED_BY, MANAGER, SCHEDULED};
use super::object_parts::{annotate, file_key, own_secret, pull_secret_name, put};
use super::pod_options::{Concurrency, CronTimes, PodOptions};
use super::pod_template::job_spec;
use crate::runner::step_spec::{Image, StepSpec};

/// The objects of a step, in the order in which they are applied.
pub(super) struct Objects {
    pub(super) namespace: Value,
    /// None if the step has neither variables nor files.
    pub(super) secret: Option<Value>,
    /// Secrets of large files.
    pub(super) file_secrets: Vec<Value>,
    /// The login to the registry of the image.
    pub(super) pull_secret: Option<Value>,
    /// The Job, or the CronJob if the step has a schedule.
    pub(super) owner: Value,
}

impl Objects {
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Value> {
        self.secret.iter().chain(&self.file_secrets).chain(&self.pull_secret)
    }
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
    let opaque = |name: &str, data: Map<String, Value>| {
        let mut meta = meta(name, &labels);
        annotate(&mut meta, &pod.annotations.secrets);
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})
    };
    let mut file_secrets = Vec::new();
    for (place, file) in step.files.iter().enumerate() {
        let content = json!(STANDARD.encode(file.content.expose()));
        match own_secret(name, place, file) {
            Some(own) => file_secrets.push(opaque(&own, Map::from_iter([(file_key(place), content)]))),
            None => drop(data.insert(file_key(place), content)),
        }
    }
    let secret = (!data.is_empty()).then(|| opaque(name, data));
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
        file_secrets,
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

#[cfg(test)]
mod tests {
    use super::{Objects, objects};
    use crate::runner::kubernetes::pod_options::PodOptions;
    use crate::runner::step_spec::{ProcessOptions, StepFile, StepSpec};
    use crate::secret::Secret;

    fn step(files: Vec<StepFile>) -> StepSpec {
        StepSpec {
            name: "n".into(),
            image: None,
            entrypoint: None,
            arguments: Vec::new(),
            environment: vec![("A".into(), Secret::new("1".into()))],
            files,
            cpu_milli: 0,
            memory_mib: 0,
            labels: Vec::new(),
            read_only_root: false,
            permit: None,
            build: None,
            source: None,
            interrupt: false,
            process: ProcessOptions::default(),
            pod: None,
            tool: None,
        }
    }

    /// A Secret has room for 1 MiB, the largest file.
    #[test]
    fn a_large_file_has_a_secret_of_its_own() {
        let file = |path: &str, size: usize| StepFile {
            variables: Vec::new(),
            path: path.into(),
            content: Secret::new("x".repeat(size)),
        };
        let step = step(vec![file("/small", 1000), file("/large", 1024 * 1024)]);
        let made = objects(&step, &PodOptions::default(), "job");
        let names = |made: &Objects| -> Vec<String> {
            made.secrets().map(|secret| secret["metadata"]["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&made), ["job", "job-file-1"]);
        let secret = made.secret.as_ref().unwrap();
        assert_eq!(secret["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["A", "file.0"]);
        let pod = &made.owner["spec"]["template"]["spec"];
        let volumes: Vec<_> = pod["volumes"].as_array().unwrap().iter().map(|one| &one["secret"]).collect();
        assert_eq!((&volumes[0]["secretName"], &volumes[1]["secretName"]), (&"job".into(), &"job-file-1".into()));
        assert_eq!(volumes[0]["items"].as_array().unwrap().len(), 1);
        let mounts = &pod["containers"][0]["volumeMounts"];
        assert_eq!((&mounts[0]["name"], &mounts[0]["subPath"]), (&"files".into(), &"file.0".into()));
        assert_eq!((&mounts[1]["name"], &mounts[1]["mountPath"]), (&"file-1".into(), &"/large".into()));
    }
}
